"""The training loop of a sharded policy: what decides the trained weights.

In every round each rank has one part of a step's batch (`training.micro_batches`); a round's parts are
consecutive. Gradients are added over ranks, then rounds over each other, both as in a balanced tree:
together one tree over all parts, the same for any number of ranks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import torch
from torch import Tensor

from vla.config.training import TrainingSection
from vla.data.loading import batches
from vla.data.sampling import Sampler
from vla.errors import UserError
from vla.policies.protocol import Inputs, Policy, to_device
from vla.training.loop import Step, TrainingResult, TrainingRun
from vla.training.optimizer import learning_rate
from vla.training.ranks import pairwise_sum
from vla.training.sharded.adamw import ShardedAdamW
from vla.training.sharded.places import Place
from vla.training.sharded.state import whole
from vla.training.sharded.tree import total_norm
from vla.training.sharded.wrapping import shard


def fit(run: TrainingRun, build: Callable[[], Policy], sampler: Sampler) -> TrainingResult:
    """Train the policy that `build` gives for `training.num_steps` steps, from the newest checkpoint if
    there is one.

    `run.ranks`: a `Place`; `sampler`: gives batches of one part (`training.micro_batches`). All ranks
    call this; rank 0's result has the whole policy, on the CPU; those of others have their shards.

    The supervision may end it early: asked to stop by a signal with `GoOnLaterError`, by an anomaly
    with `UserError`.
    """
    config, place = run.config.training, run.ranks
    parts = config.micro_batches
    if sampler.batch_size * parts != config.batch_size:
        raise UserError(
            f"The sampler's batches of {sampler.batch_size} are not one of {parts} parts of "
            f"training.batch_size ({config.batch_size}).",
            "In train.py make it with batch_size=training.batch_size // training.micro_batches.",
        )
    if not isinstance(place, Place):
        raise UserError(
            "This experiment's train.py shares its policy out, and training.sharding is none.",
            "Set training.sharding: fsdp2, or begin again from a copy of vla/training/standard.py.",
        )
    policy = shard(build, run.device, config.precision, place)
    optimizer = ShardedAdamW(policy, config)

    def make_inputs(step: int) -> list[Inputs]:
        """Of this rank's parts of the step's batch."""
        own = [step * parts + place.part(round_) for round_ in place.rounds(parts)]
        return [policy.processor(sampler.batch(part)) for part in own]

    with run.supervision as supervision:
        first = supervision.resume(policy, optimizer)
        steps = range(first, config.num_steps)
        loader = batches(make_inputs, steps, run.config.resources.loader_workers)
        with closing(loader):
            for step in steps:
                with supervision.waiting():
                    inputs = next(loader)
                rate = learning_rate(step, config)
                loss, norm = optimise(policy, optimizer, inputs, rate, config, place)
                supervision.after_step(Step(step + 1, loss, norm, rate))
        final_loss, seconds = supervision.finish()
    return TrainingResult(whole(policy, build, place.rank == 0), final_loss, seconds, first)


def optimise(
    policy: Policy,
    optimizer: ShardedAdamW,
    rounds: Sequence[Inputs],
    rate: float,
    config: TrainingSection,
    place: Place,
) -> tuple[Tensor, Tensor]:
    """One step at the learning rate `rate`, times a group's `lr_scale`.

    `rounds`: this rank's part in each. Returns the loss of the whole batch (the mean of the parts') and
    its gradient's norm (L2) before clipping, both without dimensions, on the policy's device and the
    same on all ranks.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("lr_scale", 1.0)
    losses: list[Tensor] = []

    def gradients() -> Iterator[Tensor]:
        """Of each round, this rank's shards of the sum over ranks."""
        for inputs in rounds:
            with torch.autocast(
                policy.device.type, torch.bfloat16, enabled=config.precision == "bf16"
            ):
                loss = policy.loss(to_device(inputs, policy.device))
            loss = loss / config.micro_batches  # a power of two, which rounds nothing
            loss.backward()
            losses.append(loss.detach())
            yield optimizer.collect()

    gradient = pairwise_sum(gradients())
    loss = pairwise_sum(place.total(torch.stack(losses)))
    norm = total_norm(gradient)
    optimizer.step_along(gradient.mul_((config.gradient_clip / (norm + 1e-6)).clamp(max=1.0)))
    return loss, norm
