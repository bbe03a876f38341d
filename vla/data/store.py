"""The prepared store: a dataset decoded once into memory-mapped arrays.

Training then reads pictures at memory speed: nothing is decoded twice and no loader process is
needed. The store is a cache: its folder's name is the key of all that it was made from.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vla.data.spec import DataSpec
from vla.files.described import check_file
from vla.files.sealed import read_sealed

ARRAYS = ("pictures", "state", "action", "task", "step", "length")


@dataclass(frozen=True)
class PreparedStore:
    """All frames of a dataset, one row a control step.

    `pictures`: uint8 (frames, cameras, 3, size, size); `state`: float32 (frames, state_dim);
    `action`: float32 (frames, action_dim); `task`: int64 (frames,), position in `tasks`;
    `step`, `length`: int64 (frames,), the frame's step and its episode's length;
    `tasks`: one dict a task with `name`, `instructions`, `held_out`;
    `seeds`: seeds of the demonstrations' initial states, ascending.
    """

    cameras: tuple[str, ...]
    tasks: tuple[dict[str, Any], ...]
    seeds: tuple[int, ...]
    pictures: np.ndarray
    state: np.ndarray
    action: np.ndarray
    task: np.ndarray
    step: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.state)

    @cached_property
    def spec(self) -> DataSpec:
        """What the data fixes about a policy: sizes, sentences, ranges."""
        state, action = self.state.astype(np.float64), self.action.astype(np.float64)
        low, high = action.min(0), action.max(0)
        high = np.where(high > low, high, low + 1)  # a dimension that never moves
        return DataSpec(
            cameras=self.cameras,
            image_size=self.pictures.shape[-1],
            sentences=tuple(s for task in self.tasks for s in task["instructions"]),
            state_mean=tuple(state.mean(0).tolist()),
            state_std=tuple((state.std(0) + 1e-4).tolist()),
            action_low=tuple(low.tolist()),
            action_high=tuple(high.tolist()),
        )


def open_store(folder: Path) -> PreparedStore:
    """Open a store after checking every byte of it against its record."""
    record = read_sealed(folder / "prepared.json")
    for file in record["files"]:
        check_file(file, folder)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    return PreparedStore(
        cameras=tuple(record["cameras"]),
        tasks=tuple(record["tasks"]),
        seeds=tuple(record["seeds"]),
        **arrays,
    )
