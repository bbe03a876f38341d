"""Training code of this experiment: composes pieces of the library, free to differ.

Run through the workflow (`snakemake`), which calls `train` and records what it gives.
"""

import torch

from vla.data.sampling import Sampler
from vla.policies.policy import build_policy
from vla.training.batches import Batches, policy_spec
from vla.training.loop import TrainingResult, TrainingRun, fit


def train(run: TrainingRun) -> TrainingResult:
    """Train one policy from one seed on the prepared data."""
    model, training = run.config.model, run.config.training
    spec = policy_spec(run.store.spec)
    torch.manual_seed(run.seed)  # decides the initial weights
    policy = build_policy(model, spec)
    sampler = Sampler(
        run.store,
        seed=run.seed,
        batch_size=training.batch_size,
        chunk_length=model.chunk_length,
        augmentation=run.config.data.augmentation,
    )
    return fit(run, policy, Batches(sampler, spec, model.max_words))
