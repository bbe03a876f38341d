"""The settings of families that are built on a vision-language model."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from vla.config.base import Section
from vla.config.model import ModelSection
from vla.config.weights import WeightsName

# Packages that decide what these families compute, beyond those of every training.
DISTRIBUTIONS = ("peft", "tokenizers", "transformers")

Tuning = Literal["full", "lora", "frozen"]
VisionEncoder = Literal[
    *("ViT-Ti/8", "ViT-Ti/14", "ViT-Ti/16", "ViT-Ti/32", "ViT-S/8", "ViT-S/14", "ViT-S/16"),
    *("ViT-S/32", "ViT-B/8", "ViT-B/14", "ViT-B/16", "ViT-B/32", "ViT-L/8", "ViT-L/14"),
    *("ViT-L/16", "ViT-L/32"),
]


class LanguageModelSection(Section):
    """A language model with fresh weights: Llama's architecture over bytes. Unused with `language_weights`."""

    width: PositiveInt = 1024
    """Width of every token (features)."""
    layers: PositiveInt = 16
    """Transformer blocks."""
    heads: PositiveInt = 16
    """Attention heads; must divide the width."""
    key_value_heads: PositiveInt = 16
    """Heads of keys and values, each shared by several of the others; must divide `heads`."""
    mlp_width: PositiveInt = 2816
    """Width inside each block's gated MLP."""
    vocabulary: Annotated[int, Field(ge=256)] = 1024
    """Tokens: 256 bytes, of which instructions consist, and others for the family's use."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "LanguageModelSection":
        if self.width % (2 * self.heads):
            raise ValueError(f"twice the heads ({self.heads}) must divide width ({self.width})")
        if self.heads % self.key_value_heads:
            raise ValueError(
                f"key_value_heads ({self.key_value_heads}) must divide heads ({self.heads})"
            )
        return self


class TuningSection(Section):
    """Which weights learn, and how fast."""

    vision: Tuning = "full"
    """The vision tower: all weights, low-rank adapters (LoRA: Hu et al. 2021), or none."""
    language: Tuning = "full"
    """The language model, likewise. What joins the two, and what makes actions, always learns."""
    lora_rank: PositiveInt = 16
    """Rank of the adapters."""
    lora_alpha: PositiveInt = 32
    """Adapters count `lora_alpha / lora_rank` times."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Learning rate of a block relative to the one above it, within vision tower and language model."""
    gradient_checkpointing: bool = False
    """Blocks are computed a second time for their gradients: less memory, the same weights, about a third more time."""


class VLMConfig(ModelSection):
    """A policy on a vision-language model: vision tower, projector, causal language model."""

    vision_encoder: VisionEncoder = "ViT-B/16"
    """Vision tower with fresh weights; the number is the patch (pixels). Unused with `vision_weights`."""
    vision_weights: WeightsName = None
    """Pretrained vision tower (ViT, SigLIP or DINOv2): a name in `config/weights.yaml`."""
    picture_size: PositiveInt | None = None
    """Pictures are resized to it (pixels); by default as the data has them. A pretrained tower fixes its own."""
    language_model: LanguageModelSection = LanguageModelSection()
    """The language model."""
    language_weights: WeightsName = None
    """Pretrained language model (Llama's or Qwen's architecture) with its tokenizer: a name in `config/weights.yaml`."""
    language: bool = True
    """False hides every instruction from the policy, in training and in evaluation (ablation)."""
    max_tokens: PositiveInt = 80
    """Length of the instruction in tokens (bytes without `language_weights`); longer ones are an error."""
    tuning: TuningSection = TuningSection()
    """Which weights learn."""
