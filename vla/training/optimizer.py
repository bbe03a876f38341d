"""AdamW and the learning rate as a function of the step."""

import math

import torch

from vla.config.training import TrainingSection


def build_optimizer(policy: torch.nn.Module, config: TrainingSection) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019) over all parameters."""
    return torch.optim.AdamW(
        policy.parameters(),
        lr=config.learning_rate,
        betas=config.betas,
        weight_decay=config.weight_decay,
        fused=True,
    )


def learning_rate(step: int, config: TrainingSection) -> float:
    """Linear warm-up, then a cosine down to `final_lr_fraction`; `step` counts from 0."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.num_steps - config.warmup_steps)
    floor = config.final_lr_fraction
    return config.learning_rate * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))
