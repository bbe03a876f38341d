"""A policy on a vision-language model, but for how it makes actions."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vla.data.spec import DataSpec
from vla.policies.parts.vlm.config import VLMConfig
from vla.policies.parts.vlm.parts import Parts
from vla.policies.parts.vlm.processor import TokenProcessor
from vla.policies.parts.vlm.tuning import learning_groups
from vla.policies.protocol import Inputs, Policy


class Prefix(NamedTuple):
    """What a policy knows before it acts, as tokens of the language model.

    `embedded`: (batch, tokens, width); `real`: bool (batch, tokens), False for padding, which stands last.
    """

    embedded: Tensor
    real: Tensor

    @property
    def positions(self) -> Tensor:
        """int64 (batch, tokens)."""
        batch, count = self.real.shape
        return torch.arange(count, device=self.real.device).expand(batch, -1)


class VLMPolicy(Policy):
    """Patches of every camera, proprioception and the instruction become the prefix of a language model.

    State and actions are scaled here and nowhere else: inputs and outputs have the dataset's units.
    """

    def __init__(self, config: VLMConfig, spec: DataSpec, parts: Parts, processor: TokenProcessor):
        super().__init__(config, spec, processor)
        self.assets = parts.assets
        self.vision, self.language = parts.vision, parts.language
        width = self.language.width
        # The order decides which random numbers each weight gets.
        self.projector = nn.Sequential(
            nn.Linear(self.vision.width, width), nn.GELU(), nn.Linear(width, width)
        )
        self.camera = nn.Parameter(torch.randn(len(spec.cameras), 1, width) * 0.02)
        self.state = nn.Sequential(
            nn.Linear(len(spec.state_mean), width), nn.GELU(), nn.Linear(width, width)
        )
        self.action_dim = len(spec.action_low)
        for name in ("state_mean", "state_std", "action_low", "action_high"):
            value = torch.tensor(getattr(spec, name), dtype=torch.float32)
            self.register_buffer(name, value)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return learning_groups(self, self.config.tuning.layer_decay)

    def prefix(self, inputs: Inputs) -> Prefix:
        """`inputs`: as `TokenProcessor` gives them."""
        batch, cameras = inputs["pictures"].shape[:2]
        features = self.projector(self.vision(inputs["pictures"].flatten(0, 1)))
        image = (features.unflatten(0, (batch, cameras)) + self.camera).flatten(1, 2)
        state = self.state((inputs["state"] - self.state_mean) / self.state_std).unsqueeze(1)
        text = self.language.embed(inputs["tokens"])
        seen = torch.ones(batch, image.shape[1] + 1, dtype=torch.bool, device=image.device)
        embedded = torch.cat([image, state, text.to(image.dtype)], 1)
        return Prefix(embedded, torch.cat([seen, inputs["said"]], 1))

    def scaled(self, actions: Tensor) -> Tensor:
        """Actions in the dataset's units -> [-1, 1] over the range of the data."""
        span = self.action_high - self.action_low
        return (actions - self.action_low) / span * 2 - 1

    def in_units(self, scaled: Tensor) -> Tensor:
        """Actions in [-1, 1] -> the dataset's units: float32."""
        span = self.action_high - self.action_low
        return (scaled.float().clamp(-1, 1) + 1) / 2 * span + self.action_low
