"""The loss of a trained policy on demonstrations that it was not trained on."""

import torch

from vla.data.sampling import Sampler
from vla.data.store import PreparedStore
from vla.policies.protocol import Policy, to_device

MOST = 4096  # samples: a larger store is represented by so many of it, the same for every policy
BATCH = 64


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
