"""The settings of families that fuse picture, word and proprioception tokens."""

from typing import Literal

from pydantic import PositiveInt, model_validator

from vla.config.base import Section
from vla.config.model import ModelSection


class FusionSection(Section):
    """The transformer that fuses image, instruction and proprioception."""

    width: PositiveInt = 96
    """Width of every token (features)."""
    layers: PositiveInt = 2
    """Self-attention blocks over all input tokens."""
    heads: PositiveInt = 4
    """Attention heads; must divide the width."""
    decoder_layers: PositiveInt = 1
    """Cross-attention blocks from action queries to the fused tokens."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "FusionSection":
        if self.width % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide width ({self.width})")
        return self


class FusedConfig(ModelSection):
    """A policy that fuses picture, word and proprioception tokens."""

    vision_encoder: Literal["ConvStem/16", "ViT-Ti/16", "ViT-S/16", "ViT-B/16", "ViT-L/16"] = (
        "ConvStem/16"
    )
    """Patch encoder; `/16` is the stride in pixels. `ConvStem` is a small convolutional stem without blocks of its own."""
    language: bool = True
    """False hides every instruction from the policy, in training and in evaluation (ablation)."""
    max_words: PositiveInt = 10
    """Length of the instruction in word tokens; longer ones are an error."""
    fusion: FusionSection = FusionSection()
    """The fusing transformer."""
