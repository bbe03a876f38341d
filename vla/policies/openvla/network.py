"""OpenVLA's network: vision towers, projector, language model; names of weights are the checkpoint's."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from vla.policies.openvla.architecture import Architecture
from vla.policies.openvla.vision import VisionTransformer
from vla.policies.parts.vlm.pretrained import check_kind, make_config


class OpenVLA(nn.Module):
    """Weights have the checkpoint's precision, and no memory before `load_state_dict(assign=True)`."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        with torch.device("meta"):
            towers = {n: VisionTransformer(tower) for n, tower in architecture.towers.items()}
            self.vision_backbone = nn.ModuleDict(towers)
            # Transformers' own class: code that the configuration may name (`auto_map`) is not asked for.
            check_kind("language model", architecture.text_config.get("model_type", ""), ("llama",))
            config = make_config(LlamaConfig, architecture.text_config)
            self.language_model = LlamaForCausalLM(config)
            width = sum(tower.width for tower in architecture.towers.values())
            self.projector = _projector(width, config.hidden_size, len(towers))
        self.to(getattr(torch, architecture.dtype))
        # Computed, not learnt, and in fp32 whatever the weights are in.
        self.language_model.model.rotary_emb = LlamaRotaryEmbedding(config)
        # Without the rows that pad the embedding: actions take the last tokens before them.
        self.vocabulary = config.vocab_size - architecture.pad_to_multiple_of
        self.requires_grad_(False)
        for part in _parts(self):
            _compute_in_fp32_on_cpu(part)

    def forward(self, pixels: Tensor, tokens: Tensor, count: int) -> Tensor:
        """The likeliest `count` tokens after a picture and a prompt: int64 (batch, count).

        `pixels`: float32 (batch, 3 x towers, size, size), normalised for each tower; `tokens`: int64
        (batch, prompt). A token that ends a sentence is one like any other: OpenVLA's own code would stop
        there, and read the end of its prompt as actions.
        """
        embed = self.language_model.get_input_embeddings()
        text, cache = embed(tokens), DynamicCache(config=self.language_model.config)
        seen = zip(self.vision_backbone.values(), pixels.to(text.dtype).split(3, 1), strict=True)
        patches = self.projector(torch.cat([tower(part) for tower, part in seen], -1))
        following = torch.cat([text[:, :1], patches, text[:, 1:]], 1)
        chosen = []
        for _ in range(count):
            logits = self.language_model(
                inputs_embeds=following, past_key_values=cache, use_cache=True, logits_to_keep=1
            ).logits
            chosen.append(logits.argmax(-1))
            following = embed(chosen[-1])
        return torch.cat(chosen, 1)


def _projector(vision: int, width: int, towers: int) -> nn.Sequential:
    sizes = (vision, width, width) if towers == 1 else (vision, 4 * vision, width, width)
    layers: dict[str, nn.Module] = {}
    for number, (before, after) in enumerate(pairwise(sizes), 1):
        layers[f"fc{number}"] = nn.Linear(before, after)
        layers[f"act_fn{number}"] = nn.GELU()
    layers.popitem()
    return nn.Sequential(OrderedDict(layers))


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    """Modules that hold every weight together: a tower, a block of the language model, a layer."""
    for child in module.children():
        if isinstance(child, nn.ModuleList):
            yield from child
        elif next(child.parameters(recurse=False), None) is not None:
            yield child
        else:
            yield from _parts(child)


def _compute_in_fp32_on_cpu(part: nn.Module) -> None:
    """Replace its weights by fp32 ones while it computes on a CPU, where the arithmetic of bf16 depends
    on the processor. One part at a time: the whole in fp32 would take twice the memory."""
    held: dict[nn.Parameter, Tensor] = {}

    def before(module: nn.Module, _: object) -> None:
        for parameter in module.parameters():
            if parameter.device.type == "cpu":
                held[parameter] = parameter.data
                parameter.data = parameter.data.float()

    def after(module: nn.Module, _: object, output: object) -> None:
        for parameter, data in held.items():
            parameter.data = data
        held.clear()

    part.register_forward_pre_hook(before)
    part.register_forward_hook(after, always_call=True)
