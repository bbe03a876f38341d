"""The loss of a trained policy on demonstrations that it was not trained on."""

import torch

from vla.data.sampling import Sampler
from vla.data.store import PreparedStore
from vla.errors import UserError
from vla.policies.protocol import Policy, to_device

MOST = 4096  # samples: a larger store is represented by so many of it, the same for every policy
BATCH = 64


def require_fitting(
    policy: Policy, store: PreparedStore, trained_on: tuple[int, ...], name: str
) -> None:
    """`UserError` when the store, of the dataset `name`, holds what the policy was trained on (the seeds of
    its demonstrations), or cannot be shown to it."""
    shared = set(store.seeds) & set(trained_on)
    if shared:
        raise UserError(
            f"{len(shared)} demonstrations of {name} begin at states that were trained on (seed "
            f"{min(shared)}): a choice by them would reward learning by heart.",
            "Name a dataset with other initial states in sweep.validation.",
        )
    for what in ("image_size", "cameras"):
        own, theirs = getattr(policy.spec, what), getattr(store.spec, what)
        if own != theirs:
            raise UserError(
                f"{name} has the {what.replace('_', ' ')} {theirs}, the policy was trained with {own}.",
                "Name a dataset of the same kind in sweep.validation.",
            )
    for task in store.tasks:
        for sentence in task["instructions"]:
            policy.processor.check(sentence)


@torch.no_grad()
def validation_loss(
    policy: Policy, store: PreparedStore, chunk_length: int, precision: str
) -> tuple[float, int]:
    """Mean training loss over each control step of the store (or over `MOST` of them, drawn without
    replacement), and the number of these steps.

    Without augmentation. Each step has one of its task's sentences and, where the policy draws, random
    bits of its own: both follow from its place alone, so that policies see the same. `policy`: in
    evaluation mode, on its device; `precision`: as it was trained (`training.precision`).
    """
    count = min(len(store), MOST)
    whole, rest = divmod(count, BATCH)
    total = 0.0
    # Samples are numbered through: batches of one go on where the last whole batch of 64 ends.
    for size, steps in ((BATCH, range(whole)), (1, range(count - rest, count))):
        sampler = Sampler(
            store, seed=0, batch_size=size, chunk_length=chunk_length, augmentation=False
        )
        for step in steps:
            inputs = to_device(policy.processor(sampler.batch(step)), policy.device)
            with torch.autocast(policy.device.type, torch.bfloat16, enabled=precision == "bf16"):
                total += size * policy.loss(inputs).double().item()
    return total / count, count
