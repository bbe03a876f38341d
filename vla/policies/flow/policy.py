"""Flow matching with an action expert (π0: Black et al. 2024, arXiv 2410.24164; SmolVLA: arXiv 2506.01844).

The expert has weights of its own, and as many blocks as the language model: each block of the
expert sees the keys and values of the language model's block beside it. What the language model computes
does not depend on the expert, so that it runs once a chunk. As in π0 the way from noise (time 1) to actions (time 0)
is a straight line, and all tokens of the prefix see one another. Deviation: proprioception is a token
of the prefix (as in SmolVLA), and actions are scaled to [-1, 1] by the range of the data.
"""

import math

import torch
from torch import Tensor, nn
from transformers import DynamicCache, LlamaConfig, LlamaModel

from vla.data.spec import DataSpec
from vla.policies.flow.config import Config
from vla.policies.flow.processor import NoiseProcessor
from vla.policies.parts.head import mean_over_valid
from vla.policies.parts.vlm.backbone import VLMPolicy
from vla.policies.parts.vlm.language import LanguageModel, new_cache
from vla.policies.parts.vlm.masks import open_prefix, open_slots, slot_positions
from vla.policies.parts.vlm.parts import Parts, Texts, initial_parts, restored_parts
from vla.policies.parts.vlm.tuning import tune
from vla.policies.protocol import Inputs

SHORTEST, LONGEST = 4e-3, 4.0  # periods of the time's embedding (π0)


class FlowPolicy(VLMPolicy):
    """Actions are in [-1, 1] inside, float (batch, chunk, action_dim)."""

    def __init__(self, config: Config, spec: DataSpec, parts: Parts):
        super().__init__(config, spec, parts, NoiseProcessor(config, spec, parts.tokenizer))
        self.language.without_head()
        width = config.expert.width
        self.expert = make_expert(self.language, config)
        self.actions_in = nn.Linear(self.action_dim, width)
        self.time = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.actions_out = nn.Linear(width, self.action_dim)

    def recomputed(self) -> tuple[nn.Module, ...]:
        # The language model's keys and values are kept for the expert in any case.
        return (self.vision.model,)

    def loss(self, inputs: Inputs) -> Tensor:
        """Squared error of the velocity, at the sample's own time between its noise and its actions."""
        actions, noise = self.scaled(inputs["actions"]), inputs["noise"]
        time = inputs["time"][:, None, None]
        between = time * noise + (1 - time) * actions
        real, cache = self.remember(inputs)
        velocity = self.velocity(real, cache, between, inputs["time"])
        return mean_over_valid((velocity - (noise - actions)).square(), inputs["valid"])

    @torch.inference_mode()
    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        """Action chunk in the dataset's units: float32 (batch, chunk, action_dim)."""
        chunk, count = inputs["noise"], self.config.integration_steps
        real, cache = self.remember(inputs)
        for step in range(count):
            time = chunk.new_full((len(chunk),), 1 - step / count)
            chunk = chunk - self.velocity(real, cache, chunk, time) / count
            cache.crop(real.shape[1])  # the expert's own keys and values go
        return self.in_units(chunk)

    def remember(self, inputs: Inputs) -> tuple[Tensor, DynamicCache]:
        """What is real of the prefix, bool (batch, prefix), and its keys and values in every block."""
        prefix, cache = self.prefix(inputs), new_cache(self.language.decoder)
        self.language(prefix.embedded, open_prefix(prefix.real), prefix.positions, cache)
        return prefix.real, cache

    def velocity(self, real: Tensor, cache: DynamicCache, chunk: Tensor, time: Tensor) -> Tensor:
        """Where a chunk moves at `time`, float (batch,): float32, of the chunk's shape."""
        slots = self.actions_in(chunk)
        when = embed_time(time, slots.shape[-1])[:, None].expand_as(slots)
        slots = self.time(torch.cat([slots, when.to(slots.dtype)], 2))
        hidden = self.expert(
            inputs_embeds=slots,
            attention_mask=open_slots(real, slots.shape[1]),
            position_ids=slot_positions(real, slots.shape[1]),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        return self.actions_out(hidden).float()


def make_expert(language: LanguageModel, config: Config) -> LlamaModel:
    """Blocks that fit beside those of the language model: their keys and values have one shape."""
    beside, width = language.config, config.expert.width
    heads = beside.num_attention_heads
    expert = LlamaModel(
        LlamaConfig(
            vocab_size=1,
            hidden_size=width,
            intermediate_size=config.expert.mlp_width,
            num_hidden_layers=beside.num_hidden_layers,
            num_attention_heads=heads,
            num_key_value_heads=beside.num_key_value_heads,
            head_dim=getattr(beside, "head_dim", None) or beside.hidden_size // heads,
            rope_parameters=beside.rope_parameters,
            bos_token_id=None,
            eos_token_id=None,
        )
    )
    expert.embed_tokens = None  # it reads actions, no tokens
    return expert


def embed_time(time: Tensor, width: int) -> Tensor:
    """Sines and cosines of a time in [0, 1], float (batch,), at periods of a geometric series: (batch, width)."""
    steps = torch.linspace(0, 1, width // 2, dtype=torch.float32, device=time.device)
    periods = SHORTEST * (LONGEST / SHORTEST) ** steps
    angles = time.float()[:, None] * (2 * math.pi / periods)
    return torch.cat([angles.sin(), angles.cos()], 1)


def build(config: Config, spec: DataSpec) -> FlowPolicy:
    """The policy as training starts from it."""
    return tune(FlowPolicy(config, spec, initial_parts(config, spec)), config.tuning)


def restore(config: Config, spec: DataSpec, assets: Texts) -> FlowPolicy:
    """The policy to load trained weights into."""
    return tune(FlowPolicy(config, spec, restored_parts(config, spec, assets)), config.tuning)
