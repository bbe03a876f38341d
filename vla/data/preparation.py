"""Decode a dataset once, into the memory-mapped store that training reads."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from vla.data.formats.lerobot_v3.reader import LeRobotReader
from vla.data.store import ARRAYS
from vla.errors import UserError
from vla.files.atomic import remove_leftovers, require_space, write_atomic
from vla.files.described import describe_file
from vla.records.prepared import PreparedRecord


def prepare(dataset: Path, cameras: tuple[str, ...], folder: Path) -> None:
    """Decode `dataset` (LeRobotDataset v3.0) into `folder`; `prepared.json` is written last.

    Whoever calls it holds `folder` (`exclusive`).
    """
    remove_leftovers(folder)  # of the whole store's size each
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
                shape = (frames, *stacked.shape[1:])
                require_space(
                    folder / "pictures.npy",
                    math.prod(shape),
                    "Free some (vla clean shows what can go) and run snakemake again.",
                )
                pictures = _allocate(path, shape)
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
    record = PreparedRecord(
        cameras=cameras,
        tasks=tasks,
        seeds=sorted(seeds),
        frames=frames,
        episodes=len(reader),
        arrays={name: describe_file(folder / f"{name}.npy", folder) for name in ARRAYS},
    )
    record.write(folder / "prepared.json")


def _allocate(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """A file of uint8 zeros, mapped into memory.

    Its bytes are set aside at once: where a mapped file has holes, a full disk ends the process.
    """
    pictures = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    with open(path, "rb+") as stream:
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    return pictures


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
