"""Who sees whom: a prefix (pictures, state, instruction), and behind it the slots of the actions.

A mask is bool (batch, 1, queries, keys), True where a query sees a key. Padding in the prefix is seen by
nobody, and sees only itself. No token of a prefix sees a slot.
"""

import torch
from torch import Tensor


def causal_prefix(real: Tensor) -> Tensor:
    """Each sees those before it, as language models are trained. `real`: bool (batch, prefix)."""
    count = real.shape[1]
    before = torch.ones(count, count, dtype=torch.bool, device=real.device).tril()
    return _among(real, before)


def open_prefix(real: Tensor) -> Tensor:
    """All see one another. `real`: bool (batch, prefix)."""
    count = real.shape[1]
    return _among(real, torch.ones(count, count, dtype=torch.bool, device=real.device))


def causal_slots(real: Tensor, slots: int) -> Tensor:
    """Slots as queries: each sees the prefix, itself and the slots before it."""
    return _slots(real, torch.ones(slots, slots, dtype=torch.bool, device=real.device).tril())


def open_slots(real: Tensor, slots: int) -> Tensor:
    """Slots as queries: each sees the prefix and every slot."""
    return _slots(real, torch.ones(slots, slots, dtype=torch.bool, device=real.device))


def joined(prefix: Tensor, slots: Tensor) -> Tensor:
    """One mask of a prefix (batch, 1, prefix, prefix) and its slots (batch, 1, slots, prefix + slots)."""
    hidden = prefix.new_zeros(*prefix.shape[:3], slots.shape[2])
    return torch.cat([torch.cat([prefix, hidden], 3), slots], 2)


def slot_positions(real: Tensor, slots: int) -> Tensor:
    """Positions that follow what is real of the prefix, whose padding stands last: int64 (batch, slots)."""
    return real.sum(1, keepdim=True) + torch.arange(slots, device=real.device)


def _among(real: Tensor, seen: Tensor) -> Tensor:
    both = real[:, None, :] & real[:, :, None] & seen
    # A query that sees nothing at all would have no number: padding sees itself.
    itself = torch.eye(real.shape[1], dtype=torch.bool, device=real.device)
    return (both | itself)[:, None]


def _slots(real: Tensor, seen: Tensor) -> Tensor:
    batch, slots = len(real), len(seen)
    prefix = real[:, None, :].expand(batch, slots, -1)
    return torch.cat([prefix, seen.expand(batch, -1, -1)], 2)[:, None]
