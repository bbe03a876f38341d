"""The training code of every experiment without a `train.py` of its own.

An experiment that differs copies this file into its folder as `train.py` and changes it there.
"""

import torch

from vla.data.sampling import Sampler
from vla.policies.building import build_policy
from vla.training.loop import TrainingResult, TrainingRun, fit


def train(run: TrainingRun) -> TrainingResult:
    """Train one policy from one seed on the prepared data."""
    model, training = run.config.model, run.config.training
    torch.manual_seed(run.seed)  # decides the initial weights
    policy = build_policy(model, run.store.spec)
    sampler = Sampler(
        run.store,
        seed=run.seed,
        batch_size=training.batch_size // training.micro_batches,
        chunk_length=model.chunk_length,
        augmentation=run.config.data.augmentation,
    )
    return fit(run, policy, sampler)
