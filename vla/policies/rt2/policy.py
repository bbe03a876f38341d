"""RT-2 (Brohan et al. 2023, arXiv 2307.15818): actions as tokens of a vision-language model.

As in OpenVLA (Kim et al. 2024, arXiv 2406.09246) bins take the least used tokens, attention is causal,
and the loss is cross-entropy over the whole vocabulary. Deviation: proprioception is one more token of
the prefix, and a chunk may hold several steps; `order: parallel` predicts all its tokens at once.
"""

from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vla.data.spec import DataSpec
from vla.policies.parts.head import mean_over_valid
from vla.policies.parts.vlm.backbone import Prefix, VLMPolicy
from vla.policies.parts.vlm.language import new_cache
from vla.policies.parts.vlm.masks import (
    causal_prefix,
    causal_slots,
    joined,
    open_slots,
    slot_positions,
)
from vla.policies.parts.vlm.parts import Parts, Texts, initial_parts, restored_parts
from vla.policies.parts.vlm.processor import TokenProcessor
from vla.policies.parts.vlm.tuning import tune
from vla.policies.protocol import Inputs
from vla.policies.rt2.config import Config


class RT2Policy(VLMPolicy):
    """Bins, int64 (batch, slots), are in the order of steps, within one that of dimensions."""

    def __init__(self, config: Config, spec: DataSpec, parts: Parts):
        super().__init__(config, spec, parts, TokenProcessor(config, spec, parts.tokenizer))
        self.slots = config.chunk_length * self.action_dim
        tokens = parts.tokenizer.least_used(config.num_bins, self.language.vocabulary)
        self.register_buffer("action_tokens", torch.tensor(tokens))
        self.register_buffer("values", torch.linspace(-1, 1, config.num_bins), persistent=False)

    def recomputed(self) -> tuple[nn.Module, ...]:
        return self.vision.model, self.language.decoder

    def loss(self, inputs: Inputs) -> Tensor:
        """Cross-entropy over the vocabulary, the right tokens given before each (teacher forcing)."""
        actions = self.scaled(inputs["actions"]).clamp(-1, 1)
        bins = ((actions + 1) / 2 * (self.config.num_bins - 1)).round().long()
        hidden = self.read(inputs, bins.flatten(1))
        labels = self.action_tokens[bins].flatten()
        error = F.cross_entropy(
            self.language.logits(hidden).flatten(0, 1), labels, reduction="none"
        )
        return mean_over_valid(error.view_as(actions), inputs["valid"])

    @torch.inference_mode()
    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        """Action chunk in the dataset's units: float32 (batch, chunk, action_dim)."""
        logits = self.decode(inputs)
        if decoding == "expectation":
            values = logits.softmax(-1) @ self.values
        else:
            values = self.values[logits.argmax(-1)]
        return self.in_units(values.unflatten(1, (self.config.chunk_length, self.action_dim)))

    def bin_logits(self, hidden: Tensor) -> Tensor:
        """(..., width) -> (..., num_bins): of action tokens alone, whatever else the model would say."""
        return self.language.logits(hidden)[..., self.action_tokens]

    @abstractmethod
    def read(self, inputs: Inputs, bins: Tensor) -> Tensor:
        """What the model makes of each slot, the `bins` before it given: (batch, slots, width)."""

    @abstractmethod
    def decode(self, inputs: Inputs) -> Tensor:
        """Logits of the bins, each after the likeliest before it: (batch, slots, num_bins)."""

    def read_slots(self, prefix: Prefix, slots: Tensor, seen: Tensor) -> Tensor:
        """Prefix and embedded slots in one pass; `seen`: the slots' mask. (batch, slots, width)."""
        count = slots.shape[1]
        positions = torch.cat([prefix.positions, slot_positions(prefix.real, count)], 1)
        embedded = torch.cat([prefix.embedded, slots.to(prefix.embedded.dtype)], 1)
        mask = joined(causal_prefix(prefix.real), seen)
        return self.language(embedded, mask, positions)[:, -count:]


class SequentialRT2(RT2Policy):
    """A learnt start, then each token after those before it."""

    def __init__(self, config: Config, spec: DataSpec, parts: Parts):
        super().__init__(config, spec, parts)
        self.start = nn.Parameter(torch.randn(1, 1, self.language.width) * 0.02)

    def read(self, inputs: Inputs, bins: Tensor) -> Tensor:
        prefix = self.prefix(inputs)
        before = self.language.embed(self.action_tokens[bins[:, :-1]])
        slots = torch.cat([self.start.expand(len(bins), -1, -1), before], 1)
        return self.read_slots(prefix, slots, causal_slots(prefix.real, self.slots))

    def decode(self, inputs: Inputs) -> Tensor:
        """With a cache: the prefix and every token are read once."""
        prefix, cache = self.prefix(inputs), new_cache(self.language.decoder)
        real = prefix.real
        self.language(prefix.embedded, causal_prefix(real), prefix.positions, cache)
        following = self.start.expand(len(real), -1, -1).to(prefix.embedded.dtype)
        seen, positions = causal_slots(real, self.slots), slot_positions(real, self.slots)
        logits = []
        for slot in range(self.slots):
            keys = seen[:, :, slot : slot + 1, : real.shape[1] + slot + 1]
            hidden = self.language(following, keys, positions[:, slot : slot + 1], cache)
            logits.append(self.bin_logits(hidden))
            chosen = self.action_tokens[logits[-1].argmax(-1)]
            following = self.language.embed(chosen).to(following.dtype)
        return torch.cat(logits, 1)


class ParallelRT2(RT2Policy):
    """Learnt slots that see one another: all tokens at once (Kim et al. 2025, arXiv 2502.19645)."""

    def __init__(self, config: Config, spec: DataSpec, parts: Parts):
        super().__init__(config, spec, parts)
        self.queries = nn.Parameter(torch.randn(1, self.slots, self.language.width) * 0.02)

    def read(self, inputs: Inputs, bins: Tensor) -> Tensor:
        prefix = self.prefix(inputs)
        slots = self.queries.expand(len(prefix.real), -1, -1)
        return self.read_slots(prefix, slots, open_slots(prefix.real, self.slots))

    def decode(self, inputs: Inputs) -> Tensor:
        nothing = inputs["tokens"].new_empty(len(inputs["tokens"]), 0)
        return self.bin_logits(self.read(inputs, nothing))


ORDERS = {"sequential": SequentialRT2, "parallel": ParallelRT2}


def build(config: Config, spec: DataSpec) -> RT2Policy:
    """The policy as training starts from it."""
    policy = ORDERS[config.order](config, spec, initial_parts(config, spec))
    return tune(policy, config.tuning)


def restore(config: Config, spec: DataSpec, assets: Texts) -> RT2Policy:
    """The policy to load trained weights into."""
    policy = ORDERS[config.order](config, spec, restored_parts(config, spec, assets))
    return tune(policy, config.tuning)
