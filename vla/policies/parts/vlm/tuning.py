"""Which weights of a vision-language model learn, and how fast."""

import re
from typing import Any

from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from vla.policies.parts.vlm.config import Tuning, TuningSection

BLOCK = re.compile(r"^(vision|language)\..*?\.layers?\.(\d+)\.")
EMBEDDING = re.compile(r"^(vision|language)\..*embed")


def tune(policy: nn.Module, section: TuningSection) -> nn.Module:
    """Freeze what does not learn, and add adapters; returns the policy.

    Adapters (LoRA: Hu et al. 2021, arXiv 2106.09685) are added to every linear layer of a part's
    blocks, by weights from PyTorch's global generator; at first they change no output.
    """
    _tune(policy.vision, section.vision, section)
    _tune(policy.language, section.language, section)
    if section.gradient_checkpointing:
        for part in policy.recomputed():
            part.gradient_checkpointing_enable({"use_reentrant": False})
    return policy


def learning_groups(policy: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Parameter groups whose learning rates fall by `decay` from block to block, downwards.

    The last block's and all that is in no block have the full rate, an embedding that of a block below
    the first (Bao et al. 2021, BEiT).
    """
    named = [(name, p) for name, p in policy.named_parameters() if p.requires_grad]
    blocks = {"vision": 0, "language": 0}
    for name, _ in policy.named_parameters():
        if found := BLOCK.match(name):
            blocks[found[1]] = max(blocks[found[1]], int(found[2]) + 1)
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in named:
        groups.setdefault(decay ** _depth(name, blocks), []).append(parameter)
    return [{"params": parameters, "lr_scale": scale} for scale, parameters in groups.items()]


def _depth(name: str, blocks: dict[str, int]) -> int:
    """How many blocks of its part lie above a parameter."""
    if found := BLOCK.match(name):
        return blocks[found[1]] - 1 - int(found[2])
    if found := EMBEDDING.match(name):
        return blocks[found[1]]
    return 0


def _tune(part: nn.Module, tuning: Tuning, section: TuningSection) -> None:
    if tuning == "full":
        return
    part.requires_grad_(False)
    if tuning == "lora":
        linear = [
            name
            for name, module in part.named_modules()
            if isinstance(module, nn.Linear) and BLOCK.match(f"vision.{name}.")
        ]
        config = LoraConfig(
            r=section.lora_rank, lora_alpha=section.lora_alpha, target_modules=linear
        )
        inject_adapter_in_model(config, part)
