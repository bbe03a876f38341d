"""Actions by regression."""

from torch import Tensor, nn

from vla.policies.parts.head import ActionHead, mean_over_valid


class RegressionHead(ActionHead):
    """L1 regression of the whole chunk (Zhao et al. 2023, ACT; Kim et al. 2025, OpenVLA-OFT)."""

    def __init__(self, width: int, action_dim: int):
        super().__init__()
        self.out = nn.Linear(width, action_dim)

    def loss(self, tokens: Tensor, actions: Tensor, valid: Tensor) -> Tensor:
        return mean_over_valid((self.out(tokens) - actions).abs(), valid)

    def act(self, tokens: Tensor, decoding: str) -> Tensor:
        return self.out(tokens).clamp(-1, 1)
