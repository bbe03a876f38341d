"""The training loop: what decides the trained weights. What watches over it is handed in."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vla.config.complete import ExperimentConfig
from vla.data.loading import batches
from vla.data.mixture import Mixture
from vla.data.sampling import Sampler
from vla.data.store import PreparedStore
from vla.errors import UserError
from vla.policies.protocol import Inputs, Policy
from vla.training.optimizer import ALONE, build_optimizer, learning_rate, optimise
from vla.training.ranks import Ranks


@dataclass(frozen=True)
class Step:
    """One step that was taken: the `done`-th, counted from 1.

    `loss` and `norm` (L2, of the gradient before clipping) are on the policy's device and have no
    dimensions; `rate` is the learning rate.
    """

    done: int
    loss: Tensor
    norm: Tensor
    rate: float


class Supervision(Protocol):
    """Keeps what a run needs to be resumed, reports it, and ends it early. Decides no weight.

    A context manager: what it holds open is closed when it is left.
    """

    def __enter__(self) -> "Supervision": ...

    def __exit__(self, *error: object) -> None: ...

    def resume(self, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
        """Bring both to the state of the newest checkpoint; returns its number of steps, or 0."""

    def waiting(self) -> AbstractContextManager[None]:
        """Entered while training waits for a batch."""

    def after_step(self, step: Step) -> None:
        """Take in one step. Raises `UserError` or `GoOnLaterError` to end training here."""

    def finish(self) -> tuple[float, float]:
        """After the last step: final loss and seconds, as in `TrainingResult`."""


@dataclass(frozen=True)
class TrainingRun:
    """What training code is given: configuration, seed, data, device, who watches over it, and which
    of the processes that train it this is."""

    config: ExperimentConfig
    seed: int
    store: PreparedStore | Mixture
    device: torch.device
    supervision: Supervision
    ranks: Ranks = ALONE


@dataclass(frozen=True)
class TrainingResult:
    """`final_loss`: mean training loss over the last `tracking.log_every` steps;
    `seconds`: wall time of all steps, those before a resume and those repeated after it included."""

    policy: Policy
    final_loss: float
    seconds: float
    resumed_from_step: int


TrainingCode = Callable[[TrainingRun], TrainingResult]  # `train` of an experiment's train.py


def fit(run: TrainingRun, policy: Policy, sampler: Sampler) -> TrainingResult:
    """Train `policy` for `training.num_steps` steps, from the newest checkpoint if there is one.

    `sampler`: gives batches of one part (`training.micro_batches`).

    The supervision may end it early: asked to stop by a signal with `GoOnLaterError`, by an anomaly
    with `UserError`.
    """
    config = run.config.training
    parts = config.micro_batches
    if sampler.batch_size * parts != config.batch_size:
        raise UserError(
            f"The sampler's batches of {sampler.batch_size} are not one of {parts} parts of "
            f"training.batch_size ({config.batch_size}).",
            "In train.py make it with batch_size=training.batch_size // training.micro_batches.",
        )
    policy.to(run.device).train()
    optimizer = build_optimizer(policy, config)

    def make_inputs(step: int) -> list[Inputs]:
        """Of this rank's parts of the step's batch."""
        own = run.ranks.parts(parts)
        return [policy.processor(sampler.batch(step * parts + part)) for part in own]

    with run.supervision as supervision:
        first = supervision.resume(policy, optimizer)
        steps = range(first, config.num_steps)
        loader = batches(make_inputs, steps, run.config.resources.loader_workers)
        with closing(loader):
            for step in steps:
                with supervision.waiting():
                    inputs = next(loader)
                rate = learning_rate(step, config)
                loss, norm = optimise(policy, optimizer, inputs, rate, config, run.ranks)
                supervision.after_step(Step(step + 1, loss, norm, rate))
        final_loss, seconds = supervision.finish()
    return TrainingResult(policy, final_loss, seconds, first)
