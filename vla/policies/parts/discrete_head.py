"""Actions as discrete tokens."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vla.policies.parts.head import ActionHead, mean_over_valid


class DiscreteHead(ActionHead):
    """Each action dimension as one of `num_bins` tokens (Brohan et al. 2022, RT-1), cross-entropy.

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
        return mean_over_valid(error.view_as(actions), valid)

    def act(self, tokens: Tensor, decoding: str) -> Tensor:
        logits = self._logits(tokens)
        if decoding == "expectation":
            return logits.softmax(-1) @ self.values
        return self.values[logits.argmax(-1)]

    def _logits(self, tokens: Tensor) -> Tensor:
        """(batch, chunk, action_dim, num_bins), in fp32 also under autocast."""
        return self.out(tokens).float().unflatten(-1, (self.action_dim, self.num_bins))
