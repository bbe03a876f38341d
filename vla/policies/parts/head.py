"""What the fused policy asks of an action head: decoder tokens -> action chunk in [-1, 1]."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class ActionHead(ABC, nn.Module):
    """Actions: float (batch, chunk, action_dim) in [-1, 1]. Built from `width` and `action_dim`."""

    @abstractmethod
    def loss(self, tokens: Tensor, actions: Tensor, valid: Tensor) -> Tensor:
        """Mean loss over valid steps; `valid`: bool (batch, chunk)."""

    @abstractmethod
    def act(self, tokens: Tensor, decoding: str) -> Tensor:
        """Actions from decoder tokens (batch, chunk, width); `decoding` concerns bins only."""


def mean_over_valid(error: Tensor, valid: Tensor) -> Tensor:
    """Mean of `error` (batch, chunk, action_dim) over the steps where `valid` (batch, chunk) is True."""
    weight = valid.unsqueeze(-1).expand_as(error).to(error.dtype)
    return (error * weight).sum() / weight.sum()
