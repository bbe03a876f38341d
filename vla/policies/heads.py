"""Action heads: decoder tokens -> action chunk in [-1, 1], and the loss that trains them."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vla.config.model import ModelSection


class ActionHead(ABC, nn.Module):
    """What a policy asks of its head. Actions: float (batch, chunk, action_dim) in [-1, 1]."""

    @abstractmethod
    def loss(self, tokens: Tensor, actions: Tensor, valid: Tensor) -> Tensor:
        """Mean loss over valid steps; `valid`: bool (batch, chunk)."""

    @abstractmethod
    def act(self, tokens: Tensor, decoding: str) -> Tensor:
        """Actions from decoder tokens (batch, chunk, width); `decoding` concerns bins only."""


class RegressionHead(ActionHead):
    """L1 regression of the whole chunk (Zhao et al. 2023, ACT; Kim et al. 2025, OpenVLA-OFT)."""

    def __init__(self, width: int, action_dim: int):
        super().__init__()
        self.out = nn.Linear(width, action_dim)

    def loss(self, tokens: Tensor, actions: Tensor, valid: Tensor) -> Tensor:
        error = (self.out(tokens) - actions).abs()
        return _mean_over_valid(error, valid)

    def act(self, tokens: Tensor, decoding: str) -> Tensor:
        return self.out(tokens).clamp(-1, 1)


class DiscreteHead(ActionHead):
    """Each action dimension as one of `num_bins` tokens (Brohan et al. 2023, RT-2), cross-entropy.

    All tokens of a chunk are predicted at once rather than one after the other.
    """

    def __init__(self, width: int, action_dim: int, num_bins: int):
        super().__init__()
        self.action_dim, self.num_bins = action_dim, num_bins
        self.out = nn.Linear(width, action_dim * num_bins)
        self.register_buffer("values", torch.linspace(-1, 1, num_bins), persistent=False)

    def loss(self, tokens: Tensor, actions: Tensor, valid: Tensor) -> Tensor:
        logits = self._logits(tokens)
        bins = ((actions.clamp(-1, 1) + 1) / 2 * (self.num_bins - 1)).round().long()
        error = F.cross_entropy(logits.flatten(0, 2), bins.flatten(), reduction="none")
        return _mean_over_valid(error.view_as(actions), valid)

    def act(self, tokens: Tensor, decoding: str) -> Tensor:
        logits = self._logits(tokens)
        if decoding == "expectation":
            return logits.softmax(-1) @ self.values
        return self.values[logits.argmax(-1)]

    def _logits(self, tokens: Tensor) -> Tensor:
        """(batch, chunk, action_dim, num_bins), in fp32 also under autocast."""
        return self.out(tokens).float().unflatten(-1, (self.action_dim, self.num_bins))


def build_head(config: ModelSection, action_dim: int) -> ActionHead:
    if config.head == "discrete":
        return DiscreteHead(config.fusion.width, action_dim, config.num_bins)
    return RegressionHead(config.fusion.width, action_dim)


def _mean_over_valid(error: Tensor, valid: Tensor) -> Tensor:
    weight = valid.unsqueeze(-1).expand_as(error).to(error.dtype)
    return (error * weight).sum() / weight.sum()
