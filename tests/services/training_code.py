"""Standard training that waits in the middle until the test lets it go on.

`conftest.project` puts it into the experiment as its train.py.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch

from vla.data.sampling import Sampler
from vla.policies.building import build_policy
from vla.training.loop import Step, Supervision, TrainingResult, TrainingRun, fit


class Waiting:
    """The supervision of a run, which waits after step 4 while a file `wait` lies beside this one."""

    def __init__(self, supervision: Supervision):
        self.supervision = supervision

    def __enter__(self) -> "Waiting":
        self.supervision.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.supervision.__exit__(*error)

    def __getattr__(self, name: str) -> object:
        return getattr(self.supervision, name)

    def after_step(self, step: Step) -> None:
        self.supervision.after_step(step)
        while step.done == 4 and Path(__file__).with_name("wait").exists():
            time.sleep(0.1)


def train(run: TrainingRun) -> TrainingResult:
    model, training = run.config.model, run.config.training
    torch.manual_seed(run.seed)
    policy = build_policy(model, run.store.spec)
    sampler = Sampler(
        run.store,
        seed=run.seed,
        batch_size=training.batch_size,
        chunk_length=model.chunk_length,
        augmentation=run.config.data.augmentation,
    )
    return fit(replace(run, supervision=Waiting(run.supervision)), policy, sampler)
