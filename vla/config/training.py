"""`training`: optimisation. Everything here decides bits."""

from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from vla.config.base import Section

UnitInterval = Annotated[float, Field(ge=0, lt=1)]


class TrainingSection(Section):
    """Optimisation."""

    num_steps: PositiveInt = 1400
    """Optimiser steps."""
    batch_size: PositiveInt = 32
    """Samples a step."""
    micro_batches: PositiveInt = 1
    """Parts of the batch (a power of two that divides it) whose gradients are computed by themselves and then added in one fixed order: one after another where memory is short, or on several GPUs (`resources.training_processes`). The loss is the mean of the parts'."""
    learning_rate: PositiveFloat = 1.0e-3
    """Peak learning rate, reached after the warm-up."""
    optimizer: Literal["AdamW"] = "AdamW"
    """Optimiser."""
    weight_decay: NonNegativeFloat = 0.01
    """Decoupled weight decay."""
    betas: tuple[UnitInterval, UnitInterval] = (0.9, 0.95)
    """AdamW's decay rates of the first and second moment."""
    warmup_steps: NonNegativeInt = 50
    """Steps of linear warm-up."""
    final_lr_fraction: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Learning rate at the end of the cosine schedule, as a fraction of the peak."""
    gradient_clip: PositiveFloat = 1.0
    """Largest gradient norm (L2, over all parameters)."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """`bf16` runs the forward pass under autocast; weights and optimiser stay fp32."""
    determinism: Literal["portable", "strict", "fast"] = "portable"
    """`portable` repeats bit for bit on every x86-64 processor with AVX2 (on a GPU it is `strict`); `strict`
    on the same kind of processor or GPU. `fast` lets CUDA choose faster kernels, which do not repeat; records say so."""

    sharding: Literal["none", "fsdp2"] = "none"
    """`fsdp2` shares weights, gradients and AdamW's moments out among the processes (`resources.training_processes`) by PyTorch's FSDP2, for policies that do not fit one GPU. Decides bits, but the number of processes does not."""

    @model_validator(mode="after")
    def _parts_fit(self) -> "TrainingSection":
        if self.micro_batches & (self.micro_batches - 1) or self.batch_size % self.micro_batches:
            raise ValueError(
                f"micro_batches ({self.micro_batches}) must be a power of two that divides "
                f"batch_size ({self.batch_size})"
            )
        return self

    @model_validator(mode="after")
    def _warmup_fits(self) -> "TrainingSection":
        if self.warmup_steps >= self.num_steps:
            raise ValueError(
                f"warmup_steps ({self.warmup_steps}) must be below num_steps ({self.num_steps})"
            )
        return self
