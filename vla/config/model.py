"""`model`: the policy's architecture."""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from vla.config.base import Section

SUFFIXES = {"K": 10**3, "M": 10**6, "B": 10**9}


def parse_count(value: object) -> object:
    """Read '300M', '0.5M' or '7B' as a number of parameters."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMB])", value.strip().upper())
        if not match:
            raise ValueError("write a number of parameters such as 530000, 0.5M, 300M or 7B")
        return round(float(match[1]) * SUFFIXES[match[2]])
    return value


Count = Annotated[int, Field(gt=0), BeforeValidator(parse_count)]


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


class ModelSection(Section):
    """The policy: image(s) + instruction + proprioception -> action chunk."""

    type: Literal["BC", "RT2"] = "BC"
    """`BC`: behaviour cloning with an L1 regression head. `RT2`: actions as discrete tokens."""
    action_head: Literal["regression", "discrete"] | None = None
    """`regression` (L1 on chunks) or `discrete` (bins as tokens, cross-entropy); by default what `type` names."""
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
    chunk_length: PositiveInt = 10
    """Actions predicted at once (control steps)."""
    num_bins: Annotated[int, Field(ge=2)] = 256
    """Bins an action dimension (discrete head)."""
    num_params: Count | None = None
    """Expected number of parameters, such as 300M; a model more than 10 % off is refused."""

    @model_validator(mode="after")
    def _head_of_type(self) -> "ModelSection":
        if self.type == "RT2" and self.action_head == "regression":
            raise ValueError(
                "type RT2 means discrete actions: use type BC for action_head regression"
            )
        return self

    @property
    def head(self) -> str:
        return self.action_head or {"BC": "regression", "RT2": "discrete"}[self.type]
