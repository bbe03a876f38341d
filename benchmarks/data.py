"""Benchmarks of data: verification, and batches of large pictures."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np

from benchmarks.measuring import ratio, row, run
from vla.config.datasets import DatasetEntry
from vla.data.loading import batches
from vla.data.pinning import pin_dataset
from vla.data.places import dataset_folder
from vla.data.sampling import Sampler
from vla.data.statistics import Statistics
from vla.data.store import PreparedStore
from vla.data.verification import current_record, verify

BIG = 1 << 30  # bytes of the dataset that is hashed
BATCHES = 8


def bench_verification(folder: Path) -> None:
    """A dataset of 1 GiB in 16 files against `sha256sum` on one core, and against `dvc status`."""
    entry = DatasetEntry(version="1", format="lerobot-v3", source="-", licence="-", path="data/big")
    data = dataset_folder(entry, folder)
    data.mkdir(parents=True)
    block = np.random.default_rng(0).bytes(BIG // 16)
    for number in range(16):
        (data / f"{number}.bin").write_bytes(block[number:] + block[:number])
    run("git", "init", "-q", folder=folder)
    run(sys.executable, "-m", "dvc", "init", "-q", folder=folder)
    pin_dataset(data, folder)
    record = folder / "record.json"
    threads = os.cpu_count() or 1
    value, took = ratio(
        lambda: verify(entry, folder, record, threads),
        lambda: run("sh", "-c", f"sha256sum {data}/*", folder=folder),
    )
    row(
        "verify 1 GiB / sha256sum on one core",
        value,
        f"{BIG / took / 1e9:.2f} GB/s, {threads} threads",
    )
    first = current_record(entry, folder)
    verify(entry, folder, first, threads)
    value, took = ratio(
        lambda: current_record(entry, folder),
        lambda: run(sys.executable, "-m", "dvc", "status", "-q", folder=folder),
    )
    row("unchanged files seen again / dvc status", value, f"{1000 * took:.1f} ms")
    shutil.rmtree(data)


def bench_loading(_: Path) -> None:
    """Large batches, as a GPU is given them: 256 augmented pictures of 224 by 224."""
    frames, random = 1024, np.random.default_rng(0)
    state, action = random.random((frames, 8), np.float32), random.random((frames, 7), np.float32)
    store = PreparedStore(
        cameras=("side",),
        tasks=({"name": "t", "instructions": ["do it"], "held_out": []},),
        seeds=(0,),
        spec=Statistics.of(state, action).spec(("side",), 224, ("do it",)),
        content="",
        pictures=random.integers(0, 256, (frames, 1, 3, 224, 224), np.uint8),
        state=state,
        action=action,
        task=np.zeros(frames, np.int64),
        step=np.arange(frames),
        length=np.full(frames, frames),
    )
    source = Sampler(store, seed=0, batch_size=256, chunk_length=10, augmentation=True)
    threads = os.cpu_count() or 1
    value, took = ratio(
        lambda: list(batches(source.batch, range(BATCHES), threads)),
        lambda: list(batches(source.batch, range(BATCHES), 1)),
    )
    remark = f"{BATCHES * 256 / took:.0f} pictures/s"
    row(f"large batches, {threads} loader threads / one", value, remark)
