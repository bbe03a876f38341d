"""Several datasets mixed by weight."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from vla.data.randomness import MIX, generator
from vla.data.spec import DataSpec
from vla.data.statistics import pool
from vla.data.store import PreparedStore
from vla.errors import UserError

BLOCK = 4096  # samples within which each dataset has its share exactly
BLOCKS_KEPT = 4


@dataclass(frozen=True)
class Mixture:
    """Stores by the names of their datasets; `shares`: of the samples, adding up to 1.

    `UserError` when they do not fit together.
    """

    names: tuple[str, ...]
    stores: tuple[PreparedStore, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, store in zip(self.names, self.stores, strict=True):
            one, other = _interface(self.stores[0]), _interface(store)
            for what in one:
                if one[what] != other[what]:
                    raise UserError(
                        f"{self.names[0]} and {name} cannot be mixed: {what} {one[what]} and "
                        f"{other[what]}.",
                        "Mix datasets that agree in this, or train on one of them.",
                    )

    @cached_property
    def spec(self) -> DataSpec:
        return pool(tuple(store.spec for store in self.stores), self.shares)

    @property
    def tasks(self) -> tuple[dict[str, Any], ...]:
        """Tasks of all stores; one that several have is one task with the sentences of all."""
        tasks: dict[str, dict[str, Any]] = {}
        for task in (task for store in self.stores for task in store.tasks):
            known = tasks.setdefault(
                task["name"], {"name": task["name"], "instructions": [], "held_out": []}
            )
            for kind in ("instructions", "held_out"):
                known[kind] += [s for s in task[kind] if s not in known[kind]]
        # A sentence that one dataset trains on is held out of none.
        trained = {s for task in tasks.values() for s in task["instructions"]}
        return tuple(
            task | {"held_out": [s for s in task["held_out"] if s not in trained]}
            for task in tasks.values()
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of all demonstrations' initial states, ascending."""
        return tuple(sorted({seed for store in self.stores for seed in store.seeds}))


def _interface(store: PreparedStore) -> dict[str, Any]:
    return {
        "cameras": ", ".join(store.cameras),
        "pictures of": "x".join(map(str, store.pictures.shape[3:])),
        "state dimensions": store.state.shape[1],
        "action dimensions": store.action.shape[1],
    }


class Schedule:
    """Which dataset each sample comes from, and which of its own order it is.

    Within a block of samples every dataset has its share to within a sample, at random places.
    Independent draws would leave open how many samples of a dataset came before, so that no epoch
    of it could visit every frame once without going through all samples before.
    """

    def __init__(self, shares: tuple[float, ...], seed: int):
        self.seed = seed
        self.quotas = quotas(shares)
        self._block = lru_cache(BLOCKS_KEPT)(self._compute_block)  # threads may share it

    def draw(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the samples of these numbers: number of the dataset, position in its order (int64)."""
        blocks, places = np.divmod(numbers, BLOCK)
        drawn = np.empty((2, len(numbers)), np.int64)
        for block in np.unique(blocks):
            chosen = blocks == block
            drawn[:, chosen] = self._block(int(block))[:, places[chosen]]
        return drawn[0], drawn[1]

    def _compute_block(self, block: int) -> np.ndarray:
        datasets = np.repeat(np.arange(len(self.quotas)), self.quotas)
        datasets = generator(self.seed, MIX, block).permutation(datasets)
        positions = np.empty(BLOCK, np.int64)
        for dataset, quota in enumerate(self.quotas):
            positions[datasets == dataset] = block * quota + np.arange(quota)
        return np.stack([datasets, positions])


def quotas(shares: tuple[float, ...]) -> tuple[int, ...]:
    """Samples of each dataset in a block: the largest remainders are rounded up.

    `UserError` when a share is too small to be met.
    """
    exact = np.array(shares) * BLOCK
    if exact.min() < 0.5:
        raise UserError(
            f"A dataset has {min(shares):.2g} of the samples; the least is {1 / BLOCK:.2g}.",
            "Raise its weight in data.mixture, or leave it out.",
        )
    whole = np.maximum(np.floor(exact).astype(int), 1)
    by_remainder = np.argsort(whole - exact, kind="stable")
    for place in range(BLOCK - whole.sum()):
        whole[by_remainder[place]] += 1
    whole[whole.argmax()] -= max(whole.sum() - BLOCK, 0)
    return tuple(whole.tolist())
