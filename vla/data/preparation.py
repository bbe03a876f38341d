"""Decode a dataset once, into the memory-mapped store that training reads.

Shards are decoded by several processes. What a killed preparation has finished is gone on from;
`prepared.json` is written last.
"""

import hashlib
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import numpy as np

from vla.data.formats.protocol import DatasetReader
from vla.data.shards import Shard, Source, cut, is_whole, write_shard
from vla.data.statistics import Statistics, merge
from vla.data.store import COLUMNS
from vla.errors import UserError
from vla.files.atomic import remove_leftovers, require_space, write_atomic
from vla.files.described import describe_file
from vla.files.hashing import sha256_json
from vla.records.prepared import PicturesShard, PreparedRecord, ShardRecord

SHARD_BYTES = 2**28  # of pictures


def prepare(
    reader: type[DatasetReader],
    dataset: Path,
    cameras: tuple[str, ...],
    folder: Path,
    *,
    processes: int = 1,
    shard_bytes: int = SHARD_BYTES,
    pinned: str | None = None,
    report: Callable[[int, int], None] = lambda done, shards: None,
) -> None:
    """Decode `dataset` into `folder`, the same bytes for any number of processes.

    Whoever calls it holds `folder` (`exclusive`). `pinned`: the content that the store must have,
    else a `UserError`; `report` is told how many shards are done, of how many.
    """
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    for place in (folder, parts):
        remove_leftovers(place)  # of a shard's size each
    source, shards = _plan(reader, dataset, cameras, shard_bytes)
    pending = [shard for shard in shards if not is_whole(source, shard, folder)]
    require_space(
        folder / "pictures",
        sum(shard.frames for shard in pending) * _frame_bytes(source),
        "Free some (vla clean shows what can go) and run snakemake again.",
    )
    for done in _write(source, pending, folder, processes):
        report(len(shards) - len(pending) + done, len(shards))
    record = _join(source, shards, folder)
    if pinned not in (None, record.content):
        raise UserError(
            f"The store prepared from {dataset} is not the one that is pinned:\n"
            f"    pinned   {pinned}\n    prepared {record.content}",
            f"Another decoder may give other pictures: prepare it in the locked environment "
            f"(--use-conda). If these are the ones you want, take the content out of "
            f"{dataset.name}.prepared.json, run snakemake, and pin anew with vla pin: new runs.",
        )
    record.write(folder / "prepared.json")
    shutil.rmtree(parts)


def _plan(
    reader: type[DatasetReader], dataset: Path, cameras: tuple[str, ...], shard_bytes: int
) -> tuple[Source, list[Shard]]:
    opened = reader(dataset)
    lengths = opened.lengths()
    if not lengths:
        raise UserError(f"{dataset} has no episodes.", "Fetch it again.")
    first = next(iter(opened.read(cameras, range(1))))
    height, width = first.frames[cameras[0]].shape[1:3]
    if height != width:
        raise UserError(
            f"{dataset}: pictures are {height} pixels high and {width} wide.",
            "Only square ones are trained on: crop or pad them, and pin them as a new version.",
        )
    source = Source(reader, dataset, cameras, tuple(opened.tasks()), (height, width))
    return source, cut(lengths, max(1, shard_bytes // _frame_bytes(source)))


def _frame_bytes(source: Source) -> int:
    height, width = source.picture
    return len(source.cameras) * 3 * height * width


def _write(source: Source, pending: list[Shard], folder: Path, processes: int) -> Iterator[int]:
    """Write shards; gives the number of those that are done after each."""
    if min(processes, len(pending)) <= 1:
        for done, shard in enumerate(pending, 1):
            write_shard(source, shard, folder)
            yield done
        return
    context = multiprocessing.get_context("spawn")  # decoders have threads, which no fork survives
    with ProcessPoolExecutor(min(processes, len(pending)), context) as pool:
        writing = [pool.submit(write_shard, source, shard, folder) for shard in pending]
        try:
            for done, shard in enumerate(as_completed(writing), 1):
                shard.result()
                yield done
        finally:
            pool.shutdown(cancel_futures=True)


def _join(source: Source, shards: list[Shard], folder: Path) -> PreparedRecord:
    """Put the columns of all shards together; returns what `prepared.json` says."""
    digests, seeds, pictures = hashlib.sha256(), [], []

    def statistics() -> Iterator[Statistics]:
        """Of every episode in order; what else the records hold is taken along."""
        for shard in shards:
            record = ShardRecord.read(folder / shard.record)
            seeds.extend(record.seeds)
            episodes = len(shard.episodes)
            pictures.append(
                PicturesShard(episodes=episodes, frames=shard.frames, pictures=record.pictures)
            )
            for digest, values in record.episodes:
                digests.update(bytes.fromhex(digest))
                yield Statistics.from_json(values)

    seen = {
        "cameras": list(source.cameras),
        "tasks": [asdict(task) for task in source.tasks],
        "statistics": merge(statistics()).as_json(),
        "seeds": sorted(seeds),
    }
    for name in COLUMNS:
        write_atomic(
            folder / f"{name}.npy", lambda path, name=name: _join_column(path, name, shards, folder)
        )
    return PreparedRecord(
        content=sha256_json(seen | {"episodes": digests.hexdigest()}),
        **seen,
        frames=sum(shard.frames for shard in shards),
        episodes=sum(len(shard.episodes) for shard in shards),
        shards=pictures,
        columns={name: describe_file(folder / f"{name}.npy", folder) for name in COLUMNS},
    )


def _join_column(path: Path, name: str, shards: list[Shard], folder: Path) -> None:
    start = 0
    joined: np.memmap | None = None
    for shard in shards:
        with np.load(folder / shard.columns) as columns:
            column = columns[name]
        if joined is None:
            shape = (sum(shard.frames for shard in shards), *column.shape[1:])
            joined = np.lib.format.open_memmap(path, "w+", column.dtype, shape)
        joined[start : start + len(column)] = column
        start += len(column)
    joined.flush()
