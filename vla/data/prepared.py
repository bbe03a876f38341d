"""The prepared store: a dataset decoded once into memory-mapped arrays.

Training then reads pictures at memory speed: nothing is decoded twice and no loader process is
needed. The store is a cache: its folder's name is the key of all that it was made from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vla.data.lerobot import LeRobotReader
from vla.errors import UserError
from vla.files import check_file, describe_file, read_json, write_atomic, write_json

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


def prepare(dataset: Path, cameras: tuple[str, ...], folder: Path) -> None:
    """Decode `dataset` (LeRobotDataset v3.0) into `folder`; `prepared.json` is written last."""
    reader = LeRobotReader(dataset)
    tasks = _tasks(reader)
    task_of = {s: i for i, task in enumerate(tasks) for s in task["instructions"]}
    frames = int(reader.episodes["length"].sum())
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ARRAYS if name != "pictures"}
    seeds = []

    def write_pictures(path: Path) -> None:
        pictures, start = None, 0
        for episode in reader.read(cameras):
            if len({episode.frames[camera].shape for camera in cameras}) > 1:
                raise UserError(f"{dataset}: pictures differ in size.", "Use cameras of one size.")
            stacked = np.stack([episode.frames[camera] for camera in cameras], 1)
            stacked = stacked.transpose(0, 1, 4, 2, 3)
            if pictures is None:  # the first episode tells the size
                pictures = np.lib.format.open_memmap(
                    path, "w+", np.uint8, (frames, *stacked.shape[1:])
                )
            elif stacked.shape[1:] != pictures.shape[1:]:
                raise UserError(f"{dataset}: pictures differ in size.", "Use cameras of one size.")
            length = len(stacked)
            pictures[start : start + length] = stacked
            start += length
            columns["state"].append(episode.state)
            columns["action"].append(episode.action)
            columns["task"].append(np.full(length, task_of[episode.instruction]))
            columns["step"].append(np.arange(length))
            columns["length"].append(np.full(length, length))
            if episode.seed >= 0:
                seeds.append(episode.seed)
        pictures.flush()

    write_atomic(folder / "pictures.npy", write_pictures)
    for name, parts in columns.items():
        write_atomic(folder / f"{name}.npy", lambda path, p=parts: np.save(path, np.concatenate(p)))
    write_json(
        folder / "prepared.json",
        {
            "schema": 1,
            "cameras": list(cameras),
            "tasks": tasks,
            "seeds": sorted(seeds),
            "frames": frames,
            "episodes": len(reader),
            "files": [describe_file(folder / f"{name}.npy", folder) for name in ARRAYS],
        },
    )


def open_store(folder: Path) -> PreparedStore:
    """Open a store after checking every byte of it against its record."""
    record = read_json(folder / "prepared.json")
    for file in record["files"]:
        check_file(file, folder)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    return PreparedStore(
        cameras=tuple(record["cameras"]),
        tasks=tuple(record["tasks"]),
        seeds=tuple(record["seeds"]),
        **arrays,
    )


def _tasks(reader: LeRobotReader) -> list[dict[str, Any]]:
    """Sentences by task. A dataset that does not group paraphrases has one task a sentence."""
    table = reader.sentences().copy()
    if "task" not in table:
        table["task"] = table.index
    if "held_out" not in table:
        table["held_out"] = False
    return [
        {
            "name": name,
            "instructions": list(rows.index[~rows["held_out"].astype(bool)]),
            "held_out": list(rows.index[rows["held_out"].astype(bool)]),
        }
        for name, rows in table.groupby("task", sort=False)
    ]
