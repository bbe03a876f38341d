"""The training code of every experiment with `training.sharding` and without a `train.py` of its own.

An experiment that differs copies this file into its folder as `train.py` and changes it there.
"""

import torch

from vla.data.sampling import Sampler
from vla.policies.building import build_policy
from vla.policies.protocol import Policy
from vla.training.loop import TrainingResult, TrainingRun
from vla.training.sharded.loop import fit


def train(run: TrainingRun) -> TrainingResult:
    """Train one policy from one seed on the prepared data."""
    model, training = run.config.model, run.config.training

    def build() -> Policy:
        torch.manual_seed(run.seed)  # decides the initial weights
        return build_policy(model, run.store.spec)

    sampler = Sampler(
        run.store,
        seed=run.seed,
        batch_size=training.batch_size // training.micro_batches,
        chunk_length=model.chunk_length,
        augmentation=run.config.data.augmentation,
    )
    return fit(run, build, sampler)
