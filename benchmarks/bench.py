"""`make bench`: what exactness costs, as ratios measured in one run.

Each ratio is the median of pairs that were measured in turn, so that a slow moment of the machine
falls on both sides. Nothing here is a test: times belong to this machine.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml
from vla.policies.policy import build_policy

from tests.records import make_environment, make_evaluation_record, make_run_record
from vla.config.complete import ExperimentConfig
from vla.config.datasets import DatasetEntry
from vla.data.loading import batches
from vla.data.manifest import make_manifest
from vla.data.preparation import prepare
from vla.data.sampling import Sampler, policy_spec
from vla.data.store import PreparedStore, open_store
from vla.data.verification import current_record, verify
from vla.knowledge.database import build_database
from vla.plan.reading import load_experiment, load_registry
from vla.process.determinism import set_determinism
from vla.training.loop import TrainingRun, fit

ROOT = Path(__file__).parents[1]
PAIRS = 5
BIG = 1 << 30  # bytes of the dataset that is hashed
STEPS = 120
BATCHES = 8


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(work: Callable[[], object], reference: Callable[[], object]) -> tuple[float, float]:
    """Median of `work` over `reference`, and the median of `work` in seconds."""
    pairs = [(seconds(work), seconds(reference)) for _ in range(PAIRS)]
    return statistics.median(a / b for a, b in pairs), statistics.median(a for a, _ in pairs)


def run(*command: object, folder: Path) -> None:
    finished = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        sys.exit(f"{finished.stdout}{finished.stderr}\n{' '.join(map(str, command))} failed")


def bench_verification(folder: Path) -> None:
    """A dataset of 1 GiB in 16 files against `sha256sum` on one core, and against `dvc status`."""
    entry = DatasetEntry(version="1", format="lerobot-v3", source="-", licence="-", path="data/big")
    data = entry.folder(folder)
    data.mkdir(parents=True)
    block = np.random.default_rng(0).bytes(BIG // 16)
    for number in range(16):
        (data / f"{number}.bin").write_bytes(block[number:] + block[:number])
    make_manifest(data, entry.manifest(folder))
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
    run("git", "init", "-q", folder=folder)
    run(sys.executable, "-m", "dvc", "init", "-q", folder=folder)
    run(sys.executable, "-m", "dvc", "add", "-q", "data/big", folder=folder)
    verify(entry, folder, current_record(entry, folder), threads)  # dvc add may have relinked files
    value, took = ratio(
        lambda: current_record(entry, folder),
        lambda: run(sys.executable, "-m", "dvc", "status", "-q", folder=folder),
    )
    row("unchanged files seen again / dvc status", value, f"{1000 * took:.1f} ms")
    shutil.rmtree(data)


def training(
    folder: Path, store: PreparedStore, config: ExperimentConfig, mode: str = "strict"
) -> Callable[[], object]:
    """Train from the beginning in a folder of its own each time, on a GPU where there is one."""

    def train() -> None:
        base = Path(tempfile.mkdtemp(dir=folder))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        set_determinism(config.resources.training_threads, mode)
        job = TrainingRun(config, 0, "k", store, device, base / "checkpoints", base / "logs")
        torch.manual_seed(0)
        spec = policy_spec(store)
        fit(job, build_policy(config.model, spec), sampler(store, config))

    return train


def sampler(store: PreparedStore, config: ExperimentConfig) -> Sampler:
    return Sampler(
        store,
        policy_spec(store),
        seed=0,
        batch_size=config.training.batch_size,
        chunk_length=config.model.chunk_length,
        max_words=config.model.max_words,
        augmentation=False,
    )


def bench_training(folder: Path) -> None:
    """The demo's policy: checkpoints against none, and the share of time that batches take."""
    entry = load_registry(ROOT)["metaworld-4tasks"]
    if not entry.folder(ROOT).is_dir():
        run(sys.executable, "-m", "dvc", "pull", "-q", f"{entry.path}.dvc", folder=ROOT)
    config = load_experiment(ROOT / "experiments/exp_001_baseline/config.yaml")
    prepare(entry.folder(ROOT), config.data.cameras, folder / "store")
    store = open_store(folder / "store")

    def with_checkpoints(every: int) -> ExperimentConfig:
        return config.model_copy(
            update={
                "training": config.training.model_copy(update={"num_steps": STEPS}),
                "checkpoints": config.checkpoints.model_copy(update={"save_every": every}),
                "tracking": config.tracking.model_copy(update={"tensorboard": False}),
            }
        )

    often = STEPS // 6
    value, took = ratio(
        training(folder, store, with_checkpoints(often)),
        training(folder, store, with_checkpoints(10 * STEPS)),
    )
    # what one checkpoint costs, carried over to the configured distance between two
    share = (value - 1) * often / config.checkpoints.save_every
    row(f"training with a checkpoint every {often} steps / without", value, f"{took:.1f} s")
    row(f"the same at every {config.checkpoints.save_every} steps, as configured", 1 + share, "")
    never = with_checkpoints(10 * STEPS)
    value, _ = ratio(training(folder, store, never), training(folder, store, never, "fast"))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    row("training, strict / fast", value, f"on {device}")
    loading = seconds(lambda: list(batches(sampler(store, config), range(STEPS), 0)))
    row("making batches / training", loading / took, f"{1000 * loading / STEPS:.2f} ms a batch")


def bench_loading(_: Path) -> None:
    """Large batches, as a GPU is given them: 256 augmented pictures of 224 by 224."""
    frames, random = 1024, np.random.default_rng(0)
    store = PreparedStore(
        cameras=("side",),
        tasks=({"name": "t", "instructions": ["do it"], "held_out": []},),
        seeds=(0,),
        pictures=random.integers(0, 256, (frames, 1, 3, 224, 224), np.uint8),
        state=random.random((frames, 8), np.float32),
        action=random.random((frames, 7), np.float32),
        task=np.zeros(frames, np.int64),
        step=np.arange(frames),
        length=np.full(frames, frames),
    )
    source = Sampler(
        store,
        policy_spec(store),
        seed=0,
        batch_size=256,
        chunk_length=10,
        max_words=8,
        augmentation=True,
    )
    threads = os.cpu_count() or 1
    value, took = ratio(
        lambda: list(batches(source, range(BATCHES), threads)),
        lambda: list(batches(source, range(BATCHES), 1)),
    )
    remark = f"{BATCHES * 256 / took:.0f} pictures/s"
    row(f"large batches, {threads} loader threads / one", value, remark)


def bench_planning(folder: Path) -> None:
    """`snakemake -n` over 1,000 training runs against over one."""
    run("git", "clone", "-q", ROOT, folder / "project", folder=folder)
    project = folder / "project"
    path = project / "experiments/exp_001_baseline/config.yaml"
    content = yaml.safe_load(path.read_text())

    def dry_run(seeds: int) -> Callable[[], None]:
        def work() -> None:
            content["experiment"]["seed"] = list(range(seeds))
            path.write_text(yaml.safe_dump(content))
            chosen = ['experiments=["exp_001_baseline"]', "comparisons=[]"]
            command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "all"]
            run(*command, "--config", *chosen, folder=project)

        return work

    value, took = ratio(dry_run(1000), dry_run(1))
    row("dry run of 1,000 runs (5,000 jobs) / of one", value, f"{took:.1f} s")


def bench_overhead(folder: Path) -> None:
    """One small experiment on one core: the whole call against what its scripts took by themselves.

    Snakemake measures each script (`benchmark:`), from the start of its interpreter to its end.
    """
    run("git", "clone", "-q", ROOT, folder / "project", folder=folder)
    project = folder / "project"
    path = project / "experiments/exp_001_baseline/config.yaml"
    content = yaml.safe_load(path.read_text())
    content["training"]["num_steps"] = 300
    content["evaluation"] = {"conditions": ["instructed"], "episodes_per_task": 5}
    path.write_text(yaml.safe_dump(content))
    chosen = ['experiments=["exp_001_baseline"]', "comparisons=[]"]
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    command += ["--config", *chosen, "allow_dirty=True"]
    whole = seconds(lambda: run(*command, folder=project))
    measured = [
        float(path.read_text().splitlines()[1].split()[0])
        for pattern in ("experiments/**/", "data/.*/**/", "reports/**/")
        for path in project.glob(f"{pattern}*benchmark.tsv")
    ]
    scripts = sum(measured)
    remark = f"{len(measured)} jobs, {(whole - scripts) / len(measured):.2f} s a job"
    row("a whole small experiment by Snakemake / its scripts", whole / scripts, remark)


def bench_database(folder: Path) -> None:
    """The experiment database over 10,000 finished runs against over 100."""
    run("git", "clone", "-q", ROOT, folder / "project", folder=folder)
    project = folder / "project"
    made = project / "experiments/exp_001_baseline"
    packages = {f"package-{number}": "1.0.0" for number in range(250)}
    training = {"batch_size": 32, "learning_rate": 1e-3, "num_steps": 1400}
    record = make_run_record(
        identity={"training": training}, environment=make_environment(packages=packages)
    )
    evaluation = make_evaluation_record()

    def grow(runs: range) -> None:
        for number in runs:
            name = f"seed{number}-{number:012x}"
            (made / "logs" / name).mkdir(parents=True)
            record.write(made / "results" / name / "run.json")
            evaluation.write(made / "results" / name / "instructed-0/evaluation.json")

    grow(range(100))
    few = min(seconds(lambda: build_database(project)) for _ in range(3))
    grow(range(100, 10_000))
    many = seconds(lambda: build_database(project))
    row("experiment database of 10,000 runs / of 100", many / few, f"{many:.1f} s")


def row(name: str, value: float, remark: str) -> None:
    print(f"| {name} | {value:.3f} | {remark} |", flush=True)


def main() -> None:
    print("| What | Ratio | |\n|---|---|---|")
    for bench in (
        bench_verification,
        bench_training,
        bench_loading,
        bench_planning,
        bench_overhead,
        bench_database,
    ):
        with tempfile.TemporaryDirectory() as folder:
            bench(Path(folder))


if __name__ == "__main__":
    main()
