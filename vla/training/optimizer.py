"""AdamW, the learning rate as a function of the step, and one step of optimisation."""

import math

import torch
from torch import Tensor

from vla.config.training import TrainingSection
from vla.policies.protocol import Inputs, Policy, to_device


def build_optimizer(policy: Policy, config: TrainingSection) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019) over the policy's parameter groups."""
    return torch.optim.AdamW(
        policy.parameter_groups(),
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


def optimise(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    inputs: Inputs,
    rate: float,
    config: TrainingSection,
) -> tuple[Tensor, Tensor]:
    """One step at the learning rate `rate`, times a group's `lr_scale`.

    Returns the loss and the gradient's norm (L2) before clipping, both without dimensions and on
    the policy's device: asking for their values waits for it.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("lr_scale", 1.0)
    device = policy.device
    with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        loss = policy.loss(to_device(inputs, device))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), config.gradient_clip)
    optimizer.step()
    return loss.detach(), norm
