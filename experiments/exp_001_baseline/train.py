"""Training code of this experiment: composes pieces of the library, free to differ.

Run through the workflow (`snakemake`), which calls `train` and records what it gives.
"""

import torch

from vla.data.sampling import Sampler, policy_spec
from vla.policies.policy import build_policy
from vla.training.loop import TrainingResult, TrainingRun, fit


def train(run: TrainingRun) -> TrainingResult:
    """Train one policy from one seed on the prepared data."""
    model, training = run.config.model, run.config.training
    spec = policy_spec(run.store)
    torch.manual_seed(run.seed)  # decides the initial weights
    policy = build_policy(model, spec)
    sampler = Sampler(
        run.store,
        spec,
        seed=run.seed,
        batch_size=training.batch_size,
        chunk_length=model.chunk_length,
        max_words=model.max_words,
        augmentation=run.config.data.augmentation,
    )
    return fit(run, policy, sampler)
