"""AdamW, the learning rate as a function of the step, and one step of optimisation."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from vla.config.training import TrainingSection
from vla.policies.protocol import Inputs, Policy, to_device
from vla.training.ranks import Ranks, pairwise_sum

ALONE = Ranks()


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
    parts: Sequence[Inputs],
    rate: float,
    config: TrainingSection,
    ranks: Ranks = ALONE,
) -> tuple[Tensor, Tensor]:
    """One step at the learning rate `rate`, times a group's `lr_scale`.

    `parts`: those of the batch's `training.micro_batches` parts that are this rank's. Returns the loss
    of the whole batch (the mean of the parts') and its gradient's norm (L2) before clipping, both
    without dimensions and on the policy's device: asking for their values waits for it.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("lr_scale", 1.0)
    if config.micro_batches == 1:
        loss = _backward(policy, parts[0], config)
    else:
        vectors = _gradients(policy, parts, config)
        loss = _keep(ranks.total(pairwise_sum(vectors)), policy)
    norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), config.gradient_clip)
    optimizer.step()
    return loss, norm


def _backward(policy: Policy, inputs: Inputs, config: TrainingSection) -> Tensor:
    """Leave the gradient of one part's share of the loss in the parameters; returns that share."""
    policy.zero_grad(set_to_none=True)
    device = policy.device
    with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        loss = policy.loss(to_device(inputs, device))
    loss = loss / config.micro_batches  # a power of two, which rounds nothing
    loss.backward()
    return loss.detach()


def _gradients(
    policy: Policy, parts: Sequence[Inputs], config: TrainingSection
) -> Iterator[Tensor]:
    """Of each part one vector: all gradients, and its share of the loss."""
    for inputs in parts:
        loss = _backward(policy, inputs, config)
        gradients = [p.grad.flatten() for p in policy.parameters() if p.grad is not None]
        yield torch.cat([*gradients, loss.reshape(1)])


def _keep(total: Tensor, policy: Policy) -> Tensor:
    """Put the sum of such vectors where the optimiser looks for gradients; returns the loss."""
    start = 0
    for parameter in policy.parameters():
        if parameter.grad is not None:
            end = start + parameter.numel()
            parameter.grad.copy_(total[start:end].view_as(parameter))
            start = end
    return total[-1]
