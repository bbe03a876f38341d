"""One shard of a prepared store: the frames of some episodes, decoded by one process."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vla.data.episode import Episode
from vla.data.formats.protocol import DatasetReader, Task
from vla.data.statistics import Statistics
from vla.data.store import COLUMNS
from vla.errors import UserError
from vla.files.atomic import atomic_path, write_atomic
from vla.files.described import describe_file
from vla.files.hashing import canonical_json, sha256_json
from vla.records.prepared import ShardRecord


@dataclass(frozen=True)
class Source:
    """What is decoded, and what for. `picture`: height and width that all have (pixels)."""

    reader: type[DatasetReader]
    dataset: Path
    cameras: tuple[str, ...]
    tasks: tuple[Task, ...]
    picture: tuple[int, int]

    def hash(self) -> str:
        """Of what it gives, by which an interrupted preparation is known to be of the same."""
        return sha256_json(
            {
                "cameras": self.cameras,
                "tasks": [asdict(task) for task in self.tasks],
                "picture": self.picture,
            }
        )


@dataclass(frozen=True)
class Shard:
    """`episodes`: their numbers in the dataset; `frames`: those of all of them."""

    number: int
    episodes: range
    frames: int

    @property
    def pictures(self) -> str:
        """Name of the file that its pictures are kept in."""
        return f"pictures-{self.number:05d}.npy"

    @property
    def record(self) -> str:
        """Written when the shard is whole; read when all are put together."""
        return f"parts/{self.number:05d}.json"

    @property
    def columns(self) -> str:
        """What else its frames have, until all are put together."""
        return f"parts/{self.number:05d}.npz"


def cut(lengths: list[int], frames: int) -> list[Shard]:
    """Shards of whole episodes and at most `frames` frames, or of one longer episode.

    They follow from the data alone, so that any number of processes makes the same.
    """
    shards: list[Shard] = []
    first = count = 0
    for number, length in enumerate(lengths):
        if count and count + length > frames:
            shards.append(Shard(len(shards), range(first, number), count))
            first, count = number, 0
        count += length
    return [*shards, Shard(len(shards), range(first, len(lengths)), count)]


def is_whole(source: Source, shard: Shard, folder: Path) -> bool:
    """Whether an earlier, interrupted preparation has left the shard with the recorded bytes."""
    if not (folder / shard.record).is_file():
        return False
    try:
        record = ShardRecord.read(folder / shard.record)
        record.check_files(folder)
    except UserError:  # torn by what interrupted it: decoded once more
        return False
    return record.source == source.hash() and record.range == _range(shard)


def write_shard(source: Source, shard: Shard, folder: Path) -> None:
    """Decode the shard's episodes into `folder`; its record is written last."""
    reader = source.reader(source.dataset)
    task_of = {s: number for number, task in enumerate(source.tasks) for s in task.instructions}
    columns: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    episodes, seeds = [], []
    shape = (shard.frames, len(source.cameras), 3, *source.picture)
    with atomic_path(folder / shard.pictures) as path, _array(path, shape) as stream:
        for number, episode in zip(
            shard.episodes, reader.read(source.cameras, shard.episodes), strict=True
        ):
            pictures = _stacked(episode, source)
            values = _columns(episode, number, task_of, source)
            stream.write(pictures)
            for name, column in values.items():
                columns[name].append(column)
            statistics = Statistics.of(values["state"], values["action"])
            episodes.append((_digest(pictures, values), statistics.as_json()))
            seeds += [episode.seed] if episode.seed >= 0 else []
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    if len(whole["step"]) != shard.frames:
        raise UserError(
            f"{source.dataset}: episodes {shard.episodes[0]} to {shard.episodes[-1]} have "
            f"{len(whole['step'])} frames, the dataset states {shard.frames}.",
            "The dataset is damaged: fetch it again.",
        )
    write_atomic(folder / shard.columns, lambda path: np.savez(path, **whole))
    ShardRecord(
        source=source.hash(),
        range=_range(shard),
        pictures=describe_file(folder / shard.pictures, folder),
        columns=describe_file(folder / shard.columns, folder),
        seeds=tuple(seeds),
        episodes=tuple(episodes),
    ).write(folder / shard.record)


def _range(shard: Shard) -> tuple[int, int, int]:
    return shard.episodes.start, shard.episodes.stop, shard.frames


@contextmanager
def _array(path: Path, shape: tuple[int, ...]) -> Iterator[BinaryIO]:
    """A file of NumPy's, to which the bytes of a uint8 array of that shape are to be written.

    Written, not mapped: memory is that of one episode, and a full disk is an error, not a signal.
    """
    with open(path, "wb") as stream:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        yield stream


def _stacked(episode: Episode, source: Source) -> np.ndarray:
    """uint8 (frames, cameras, 3, height, width)."""
    frames = [episode.frames[camera] for camera in source.cameras]
    sizes = {pictures.shape[1:3] for pictures in frames} | {source.picture}
    if len(sizes) > 1:
        raise UserError(
            f"{source.dataset}: pictures differ in size: "
            f"{' and '.join('x'.join(map(str, size)) for size in sorted(sizes))}.",
            "Use cameras of one size.",
        )
    return np.ascontiguousarray(np.stack(frames, 1).transpose(0, 1, 4, 2, 3))


def _columns(
    episode: Episode, number: int, task_of: dict[str, int], source: Source
) -> dict[str, np.ndarray]:
    length = len(episode.action)
    for name in ("state", "action"):
        if not np.isfinite(getattr(episode, name)).all():
            raise UserError(
                f"{source.dataset}: {name} of episode {number} holds infinite values or NaN.",
                "Mend or leave out the episode, and pin the data under a new version.",
            )
    if episode.instruction not in task_of:
        raise UserError(
            f"{source.dataset}: episode {number} carries the sentence {episode.instruction!r}, "
            "which is among no task's instructions.",
            "Add it to a task; a sentence that is held out may be carried by no demonstration.",
        )
    return {
        "state": np.ascontiguousarray(episode.state, np.float32),
        "action": np.ascontiguousarray(episode.action, np.float32),
        "task": np.full(length, task_of[episode.instruction], np.int64),
        "step": np.arange(length, dtype=np.int64),
        "length": np.full(length, length, np.int64),
    }


def _digest(pictures: np.ndarray, columns: dict[str, np.ndarray]) -> str:
    """SHA-256 of all that training can see of an episode."""
    arrays = {"pictures": pictures, **columns}
    shapes = {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}
    digest = hashlib.sha256(canonical_json(shapes).encode())
    for array in arrays.values():
        digest.update(array)
    return digest.hexdigest()
