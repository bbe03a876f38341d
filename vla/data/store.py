"""The prepared store: a dataset decoded once into memory-mapped arrays.

Training then reads pictures at memory speed: nothing is decoded twice and no loader process is
needed. The store is a cache: its folder's name is the key of all that it was made from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vla.records.prepared import PreparedRecord

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


def open_store(folder: Path) -> PreparedStore:
    """Open a store after checking every byte of it against its record."""
    record = PreparedRecord.read(folder / "prepared.json")
    record.check_files(folder)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    return PreparedStore(
        cameras=record.cameras,
        tasks=tuple(task.model_dump(mode="json") for task in record.tasks),
        seeds=record.seeds,
        **arrays,
    )
