"""The prepared store: a dataset decoded once into memory-mapped arrays.

Training then reads pictures at memory speed: nothing is decoded twice and no loader process is
needed. Pictures lie in shards of bounded size; what else a frame has is a few dozen bytes, and lies
in one file a column.
"""

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vla.data.spec import DataSpec
from vla.data.statistics import Statistics

if TYPE_CHECKING:  # records are in no key
    from vla.records.prepared import PreparedRecord

COLUMNS = ("state", "action", "task", "step", "length")


class Shards:
    """Arrays one after another, read as one: `shards[rows]` copies those rows and nothing else."""

    def __init__(self, parts: list[np.ndarray]):
        self.parts = parts
        self.starts = np.cumsum([0, *map(len, parts)])
        self.shape = (int(self.starts[-1]), *parts[0].shape[1:])
        self.dtype = parts[0].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """`rows`: integers (n,), in any order."""
        if len(self.parts) == 1:
            return self.parts[0][rows]
        gathered = np.empty((len(rows), *self.shape[1:]), self.dtype)
        starts = self.starts.tolist()
        for place, row in enumerate(rows.tolist()):
            shard = bisect_right(starts, row) - 1
            gathered[place] = self.parts[shard][row - starts[shard]]
        return gathered


@dataclass(frozen=True)
class PreparedStore:
    """All frames of a dataset, one row a control step.

    `pictures`: uint8 (frames, cameras, 3, size, size); `state`: float32 (frames, state_dim);
    `action`: float32 (frames, action_dim); `task`: int64 (frames,), position in `tasks`;
    `step`, `length`: int64 (frames,), the frame's step and its episode's length;
    `tasks`: one dict a task with `name`, `instructions`, `held_out`;
    `seeds`: seeds of the demonstrations' initial states, ascending;
    `spec`: what these fix about a policy; `content`: SHA-256 of all that training can see.
    """

    cameras: tuple[str, ...]
    tasks: tuple[dict[str, Any], ...]
    seeds: tuple[int, ...]
    spec: DataSpec
    content: str
    pictures: np.ndarray | Shards
    state: np.ndarray
    action: np.ndarray
    task: np.ndarray
    step: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.state)


def map_store(folder: Path, record: "PreparedRecord") -> PreparedStore:
    """The store in `folder`, whose files were checked (`vla.data.opening`): reads no data."""
    pictures = Shards([_map(folder / shard.pictures.path) for shard in record.shards])
    tasks = tuple(task.model_dump(mode="json") for task in record.tasks)
    sentences = (sentence for task in tasks for sentence in task["instructions"])
    statistics = Statistics.from_json(record.statistics)
    return PreparedStore(
        cameras=record.cameras,
        tasks=tasks,
        seeds=record.seeds,
        spec=statistics.spec(record.cameras, pictures.shape[-1], sentences),
        content=record.content,
        pictures=pictures,
        **{name: _map(folder / record.columns[name].path) for name in COLUMNS},
    )


def _map(path: Path) -> np.ndarray:
    """Plain arrays: NumPy's own class for mapped ones makes each small read slower."""
    return np.asarray(np.load(path, mmap_mode="r"))
