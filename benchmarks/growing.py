"""A dataset of a million frames: planned, prepared and sampled, each in a process of its own.

`python -m benchmarks.growing STAGE`, in the project that `bench_growth` makes, does one of the three
and prints what it took.
"""

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import yaml

from benchmarks.measuring import ROOT, row, run
from vla.data.manifest import make_manifest
from vla.data.opening import open_store
from vla.data.places import dataset_folder, store_record
from vla.data.preparation import prepare
from vla.data.readers import reader_class
from vla.data.sampling import Sampler
from vla.files.atomic import write_json
from vla.plan.items import Store
from vla.plan.plan import Plan

EPISODES, STEPS = 10_000, 100
SHARD = 2**25  # bytes: a million frames of this size would fill four of the usual ones
BATCHES = 2000
NAME = "exp_001_baseline"


def bench_growth(folder: Path) -> None:
    """Memory that each stage keeps for itself, against the size of the data."""
    project = folder / "project"
    run("git", "clone", "-q", ROOT, project, folder=folder)
    data, plugin = project / "data/made-up", project / "plugins/formats/made_up"
    plugin.mkdir(parents=True)
    shutil.copy(ROOT / "benchmarks/made_up_reader.py", plugin / "reader.py")
    write_json(data / "sizes.json", {"episodes": EPISODES, "steps": STEPS})
    make_manifest(data, data.with_name("made-up.manifest.json"))
    _edit(project / "config/datasets.yaml", made_up_entry)
    _edit(project / f"experiments/{NAME}/config.yaml", on_made_up_data)
    for stage in STAGES:
        command = (sys.executable, "-m", "benchmarks.growing", stage)
        found = json.loads(run(*command, folder=project, library=project))
        row(
            f"memory, 1,000,000 frames {stage} / their size",
            found["own"] / found["size"],
            f"{found['own'] / 1e6:.0f} MB; at the peak {found['peak'] / 1e6:.0f} MB with pages of "
            f"mapped files, which give way to others; {found['seconds']:.1f} s",
        )


def made_up_entry(registry: dict) -> None:
    registry["made-up"] = {
        "version": "1",
        "format": "made-up",
        "source": "-",
        "licence": "MIT",
        "path": "data/made-up",
    }


def on_made_up_data(config: dict) -> None:
    config["data"] = {"dataset": "made-up"}
    config["model"].pop("num_params", None)


def planned() -> Store:
    (experiment,) = Plan(Path.cwd(), {"experiments": [NAME]}).experiments.values()
    return experiment.stores[0]


def prepared() -> None:
    store, root = planned(), Path.cwd()
    folder, source = store_record(root, store.name).parent, dataset_folder(store.entry, root)
    prepare(reader_class(store.entry), source, store.cameras, folder, shard_bytes=SHARD)
    open_store(folder, threads=os.cpu_count() or 1)


def sampled() -> None:
    """Batches from all over an epoch, so that nearly every page of the store is mapped."""
    folder = store_record(Path.cwd(), planned().name).parent
    store = open_store(folder)
    sampler = Sampler(store, seed=0, batch_size=32, chunk_length=10, augmentation=True)
    for step in np.linspace(0, len(store) // 32, BATCHES).astype(int).tolist():
        sampler.batch(step)


STAGES = {"planned": planned, "prepared": prepared, "sampled": sampled}


def measure(stage: str) -> dict[str, float]:
    """Bytes: `own` memory, all at the `peak`, `size` of the pictures; and seconds."""
    started = time.monotonic()
    STAGES[stage]()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "seconds": time.monotonic() - started,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "own": int(status["RssAnon"].split()[0]) * 1024,
        "size": EPISODES * STEPS * 3 * 16 * 16,
    }


def _edit(path: Path, change) -> None:
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
