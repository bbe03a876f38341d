"""The policy: image(s) + instruction + proprioception -> action chunk."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vla.config.model import ModelSection
from vla.errors import UserError
from vla.policies.heads import build_head
from vla.policies.language import PADDING, Vocabulary
from vla.policies.vision import PatchEncoder, self_attention


class Observation(NamedTuple):
    """What the policy sees.

    `pictures`: uint8 (batch, cameras, 3, size, size); `words`: int64 (batch, max_words);
    `state`: float32 (batch, state_dim), in the dataset's units.
    """

    pictures: Tensor
    words: Tensor
    state: Tensor

    def to(self, device: torch.device) -> "Observation":
        return Observation(*(tensor.to(device, non_blocking=True) for tensor in self))


@dataclass(frozen=True)
class PolicySpec:
    """What the data fixes about a policy.

    `state_mean`, `state_std` normalise proprioception; `action_low`, `action_high` are the range
    that actions are scaled to [-1, 1] from.
    """

    cameras: tuple[str, ...]
    image_size: int
    vocabulary: Vocabulary
    state_mean: tuple[float, ...]
    state_std: tuple[float, ...]
    action_low: tuple[float, ...]
    action_high: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "PolicySpec":
        values = {key: tuple(v) if isinstance(v, list) else v for key, v in content.items()}
        values["vocabulary"] = Vocabulary(tuple(content["vocabulary"]["words"]))
        return cls(**values)


class Policy(nn.Module):
    """Fuses image, word and proprioception tokens; action queries read the result."""

    def __init__(self, config: ModelSection, spec: PolicySpec):
        super().__init__()
        self.config, self.spec = config, spec
        width, heads = config.fusion.width, config.fusion.heads
        self.vision = PatchEncoder(config.vision_encoder, spec.image_size, width)
        self.camera = nn.Parameter(torch.randn(1, len(spec.cameras), 1, width) * 0.02)
        self.words = nn.Embedding(len(spec.vocabulary), width)
        nn.init.normal_(self.words.weight, std=0.02)
        self.word_position = nn.Parameter(torch.randn(1, config.max_words, width) * 0.02)
        self.state = nn.Sequential(
            nn.Linear(len(spec.state_mean), width), nn.GELU(), nn.Linear(width, width)
        )
        self.fusion = self_attention(width, heads, config.fusion.layers)
        self.queries = nn.Parameter(torch.randn(1, config.chunk_length, width) * 0.02)
        block = nn.TransformerDecoderLayer(
            width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.decoder = nn.TransformerDecoder(
            block, config.fusion.decoder_layers, norm=nn.LayerNorm(width)
        )
        self.head = build_head(config, len(spec.action_low))
        for name in ("state_mean", "state_std", "action_low", "action_high"):
            value = torch.tensor(getattr(spec, name), dtype=torch.float32)
            self.register_buffer(name, value)

    def loss(self, observation: Observation, actions: Tensor, valid: Tensor) -> Tensor:
        """Training loss of action chunks.

        `actions`: float32 (batch, chunk, action_dim) in the dataset's units; `valid`: bool
        (batch, chunk), False beyond the episode's end.
        """
        scaled = (actions - self.action_low) / (self.action_high - self.action_low) * 2 - 1
        return self.head.loss(self._decode(observation), scaled, valid)

    @torch.inference_mode()
    def act(self, observation: Observation, decoding: str = "argmax") -> Tensor:
        """Action chunk in the dataset's units: float32 (batch, chunk, action_dim)."""
        scaled = self.head.act(self._decode(observation), decoding).float()
        return (scaled + 1) / 2 * (self.action_high - self.action_low) + self.action_low

    def _decode(self, observation: Observation) -> Tensor:
        batch = len(observation.state)
        pictures = observation.pictures.flatten(0, 1).float().div(127.5).sub(1)
        image = self.vision(pictures).unflatten(0, (batch, -1)) + self.camera
        words = observation.words if self.config.language else _hidden(observation.words)
        text = self.words(words) + self.word_position
        state = self.state((observation.state - self.state_mean) / self.state_std).unsqueeze(1)
        fused = self.fusion(torch.cat([image.flatten(1, 2), text, state], 1))
        return self.decoder(self.queries.expand(batch, -1, -1), fused)


def _hidden(words: Tensor) -> Tensor:
    return torch.full_like(words, PADDING)


def build_policy(config: ModelSection, spec: PolicySpec) -> Policy:
    """The policy with fresh weights from PyTorch's global generator.

    `UserError` when `model.num_params` is stated and more than 10 % off.
    """
    policy = Policy(config, spec)
    count = count_parameters(policy)
    if config.num_params and abs(count - config.num_params) > 0.1 * config.num_params:
        raise UserError(
            f"model.num_params states {config.num_params / 1e6:.2f}M parameters, "
            f"but this model has {count / 1e6:.2f}M.",
            "Correct num_params, or change model.fusion or model.vision_encoder.",
        )
    return policy


def count_parameters(policy: nn.Module) -> int:
    return sum(parameter.numel() for parameter in policy.parameters())
