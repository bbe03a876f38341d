"""OpenVLA-OFT (Kim, Finn, Liang 2025, arXiv 2502.19645): parallel decoding, chunks, L1 regression.

One slot an action dimension and step; slots see one another, the prefix stays causal. The outputs of a
step's slots together give its action. Deviation: slots are learnt rather than empty embeddings.
"""

import torch
from torch import Tensor, nn

from vla.data.spec import DataSpec
from vla.policies.oft.config import Config
from vla.policies.parts.head import mean_over_valid
from vla.policies.parts.vlm.backbone import VLMPolicy
from vla.policies.parts.vlm.masks import causal_prefix, joined, open_slots, slot_positions
from vla.policies.parts.vlm.parts import Parts, Texts, initial_parts, restored_parts
from vla.policies.parts.vlm.processor import TokenProcessor
from vla.policies.parts.vlm.tuning import tune
from vla.policies.protocol import Inputs


class OFTPolicy(VLMPolicy):
    """Slots are in the order of steps, within one that of dimensions."""

    def __init__(self, config: Config, spec: DataSpec, parts: Parts):
        super().__init__(config, spec, parts, TokenProcessor(config, spec, parts.tokenizer))
        self.language.without_head()
        width, slots = self.language.width, config.chunk_length * self.action_dim
        self.queries = nn.Parameter(torch.randn(1, slots, width) * 0.02)
        self.actions = nn.Sequential(
            nn.Linear(self.action_dim * width, width), nn.GELU(), nn.Linear(width, self.action_dim)
        )

    def recomputed(self) -> tuple[nn.Module, ...]:
        return self.vision.model, self.language.decoder

    def loss(self, inputs: Inputs) -> Tensor:
        error = (self._chunk(inputs) - self.scaled(inputs["actions"])).abs()
        return mean_over_valid(error, inputs["valid"])

    @torch.inference_mode()
    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        return self.in_units(self._chunk(inputs))

    def _chunk(self, inputs: Inputs) -> Tensor:
        """Actions in [-1, 1]: float32 (batch, chunk, action_dim)."""
        prefix, count = self.prefix(inputs), self.queries.shape[1]
        slots = self.queries.expand(len(prefix.real), -1, -1).to(prefix.embedded.dtype)
        hidden = self.language(
            torch.cat([prefix.embedded, slots], 1),
            joined(causal_prefix(prefix.real), open_slots(prefix.real, count)),
            torch.cat([prefix.positions, slot_positions(prefix.real, count)], 1),
        )[:, -count:]
        steps = hidden.unflatten(1, (self.config.chunk_length, self.action_dim))
        return self.actions(steps.flatten(2)).float()


def build(config: Config, spec: DataSpec) -> OFTPolicy:
    """The policy as training starts from it."""
    return tune(OFTPolicy(config, spec, initial_parts(config, spec)), config.tuning)


def restore(config: Config, spec: DataSpec, assets: Texts) -> OFTPolicy:
    """The policy to load trained weights into."""
    return tune(OFTPolicy(config, spec, restored_parts(config, spec, assets)), config.tuning)
