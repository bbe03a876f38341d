"""The policy of the families here: tokens of all inputs are fused, an action head reads the result."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vla.data.spec import DataSpec
from vla.policies.parts.attention import cross_attention, self_attention
from vla.policies.parts.config import FusedConfig
from vla.policies.parts.head import ActionHead
from vla.policies.parts.processor import WordProcessor
from vla.policies.parts.vision import PatchEncoder
from vla.policies.protocol import Inputs, Policy


class FusedPolicy(Policy):
    """Fuses image, word and proprioception tokens; action queries read the result.

    State and actions are scaled here and nowhere else: inputs and outputs have the dataset's units.
    """

    def __init__(
        self, config: FusedConfig, spec: DataSpec, make_head: Callable[[int, int], ActionHead]
    ):
        """`make_head`: the head for a width of tokens and a number of action dimensions."""
        processor = WordProcessor(config, spec)
        super().__init__(config, spec, processor)
        width, heads = config.fusion.width, config.fusion.heads
        # The order decides which random numbers each weight gets.
        self.vision = PatchEncoder(config.vision_encoder, spec.image_size, width)
        self.camera = nn.Parameter(torch.randn(1, len(spec.cameras), 1, width) * 0.02)
        self.words = nn.Embedding(len(processor.vocabulary), width)
        nn.init.normal_(self.words.weight, std=0.02)
        self.word_position = nn.Parameter(torch.randn(1, config.max_words, width) * 0.02)
        self.state = nn.Sequential(
            nn.Linear(len(spec.state_mean), width), nn.GELU(), nn.Linear(width, width)
        )
        self.fusion = self_attention(width, heads, config.fusion.layers)
        self.queries = nn.Parameter(torch.randn(1, config.chunk_length, width) * 0.02)
        self.decoder = cross_attention(width, heads, config.fusion.decoder_layers)
        self.head = make_head(width, len(spec.action_low))
        for name in ("state_mean", "state_std", "action_low", "action_high"):
            value = torch.tensor(getattr(spec, name), dtype=torch.float32)
            self.register_buffer(name, value)

    def loss(self, inputs: Inputs) -> Tensor:
        """Training loss; `inputs`: as `WordProcessor` gives them."""
        span = self.action_high - self.action_low
        scaled = (inputs["actions"] - self.action_low) / span * 2 - 1
        return self.head.loss(self._decode(inputs), scaled, inputs["valid"])

    @torch.inference_mode()
    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        """Action chunk in the dataset's units: float32 (batch, chunk, action_dim)."""
        scaled = self.head.act(self._decode(inputs), decoding).float()
        return (scaled + 1) / 2 * (self.action_high - self.action_low) + self.action_low

    def _decode(self, inputs: Inputs) -> Tensor:
        """What the head reads: (batch, chunk, width)."""
        batch = len(inputs["state"])
        pictures = inputs["pictures"].flatten(0, 1).float().div(127.5).sub(1)
        image = self.vision(pictures).unflatten(0, (batch, -1)) + self.camera
        text = self.words(inputs["words"]) + self.word_position
        state = self.state((inputs["state"] - self.state_mean) / self.state_std).unsqueeze(1)
        fused = self.fusion(torch.cat([image.flatten(1, 2), text, state], 1))
        return self.decoder(self.queries.expand(batch, -1, -1), fused)
