"""Standard training; slow until a file beside it, of the seed's name, says that it was disturbed.

`submitting.prepare` puts it into experiments as their train.py.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch

from vla.data.sampling import Sampler
from vla.policies.building import build_policy
from vla.training.loop import Step, Supervision, TrainingResult, TrainingRun, fit


class Slow:
    """The supervision of a run, which takes its time after each step."""

    def __init__(self, supervision: Supervision, disturbed: Path):
        self.supervision, self.disturbed = supervision, disturbed

    def __enter__(self) -> "Slow":
        self.supervision.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.supervision.__exit__(*error)

    def __getattr__(self, name: str) -> object:
        return getattr(self.supervision, name)

    def after_step(self, step: Step) -> None:
        self.supervision.after_step(step)
        if not self.disturbed.exists():
            time.sleep(0.5)


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
    disturbed = Path(__file__).with_name(f"disturbed-{run.seed}")
    return fit(replace(run, supervision=Slow(run.supervision, disturbed)), policy, sampler)
