"""`make bench`: what exactness costs, as ratios measured in one run.

Where two things are compared, they are measured in turn, so that a slow moment of the machine falls
on both. Nothing here is a test: times belong to this machine.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import yaml

from benchmarks.data import bench_loading, bench_verification
from benchmarks.evaluation_speed import bench_acting
from benchmarks.growing import bench_growth
from benchmarks.measuring import ROOT, ratio, row, run, seconds
from benchmarks.portable import bench_portable
from benchmarks.ranks import bench_ranks
from tests.records import make_environment, make_evaluation_record, make_run_record
from vla.config.complete import ExperimentConfig
from vla.data.loading import batches
from vla.data.opening import open_store
from vla.data.places import dataset_folder
from vla.data.preparation import prepare
from vla.data.readers import reader_class
from vla.data.sampling import Sampler
from vla.data.store import PreparedStore
from vla.knowledge.database import build_database
from vla.plan.reading import load_experiment, load_registry
from vla.policies.building import build_policy
from vla.process.determinism import set_determinism
from vla.training.loop import TrainingRun, fit
from vla.training.supervision import Supervisor

STEPS = 120


def training(
    folder: Path, store: PreparedStore, config: ExperimentConfig, mode: str = "strict"
) -> Callable[[], object]:
    """Train from the beginning in a folder of its own each time, on a GPU where there is one."""

    def train() -> None:
        base = Path(tempfile.mkdtemp(dir=folder))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        set_determinism(config.resources.training_threads, mode)
        supervisor = Supervisor(config, "k", base / "checkpoints", base / "logs")
        job = TrainingRun(config, 0, store, device, supervisor)
        torch.manual_seed(0)
        fit(job, build_policy(config.model, store.spec), sampler(store, config))

    return train


def sampler(store: PreparedStore, config: ExperimentConfig) -> Sampler:
    return Sampler(
        store,
        seed=0,
        batch_size=config.training.batch_size,
        chunk_length=config.model.chunk_length,
        augmentation=False,
    )


def bench_training(folder: Path) -> None:
    """The demo's policy: checkpoints against none, and the share of time that batches take."""
    entry = load_registry(ROOT)["metaworld-4tasks"]
    data = dataset_folder(entry, ROOT)
    if not data.is_dir():
        run(sys.executable, "-m", "dvc", "pull", "-q", f"{entry.path}.dvc", folder=ROOT)
    config = load_experiment(ROOT / "experiments/exp_001_baseline/config.yaml")
    prepare(reader_class(entry), data, config.data.cameras, folder / "store")
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
    loading = seconds(lambda: list(batches(sampler(store, config).batch, range(STEPS), 0)))
    row("making batches / training", loading / took, f"{1000 * loading / STEPS:.2f} ms a batch")


def bench_planning(folder: Path) -> None:
    """`snakemake -n` over 1,000 training runs against over one."""
    run("git", "clone", "-q", ROOT, folder / "project", folder=folder)
    project = folder / "project"
    path = project / "experiments/exp_001_baseline/config.yaml"
    content = yaml.safe_load(path.read_text())

    def dry_run(seeds: int, sweep: dict[str, object] | None = None) -> Callable[[], None]:
        def work() -> None:
            content["experiment"]["seed"] = list(range(seeds))
            content["sweep"] = sweep
            path.write_text(yaml.safe_dump(content))
            chosen = ['experiments=["exp_001_baseline"]', "comparisons=[]"]
            command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "all"]
            run(*command, "--config", *chosen, folder=project)

        return work

    value, took = ratio(dry_run(1000), dry_run(1))
    row("dry run of 1,000 runs (5,000 jobs) / of one", value, f"{took:.1f} s")
    sweep = {
        "parameters": {
            "training.learning_rate": {"low": 1e-4, "high": 1e-2, "spacing": "logarithmic"},
            "training.weight_decay": [0.0, 0.01, 0.1],
        },
        "sample": {"count": 500},
        "validation": "metaworld-4tasks-validation",
        "max_runs": 1000,
    }
    value, took = ratio(dry_run(2, sweep), dry_run(1000))
    row("dry run of a sweep of 1,000 runs / of 1,000 seeds", value, f"{took:.1f} s")


def bench_overhead(folder: Path) -> None:
    """One small experiment on one core: the whole call against what its scripts took by themselves.

    Snakemake measures each script (`benchmark:`), from the start of its interpreter to its end.
    """
    run("git", "clone", "-q", ROOT, folder / "project", folder=folder)
    project = folder / "project"
    path = project / "experiments/exp_001_baseline/config.yaml"
    content = yaml.safe_load(path.read_text())
    content["training"]["num_steps"] = 300
    content["experiment"].pop(
        "outcome", None
    )  # its findings are about conditions that are left out
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


def main() -> None:
    print("| What | Ratio | |\n|---|---|---|")
    for bench in (
        bench_verification,
        bench_training,
        bench_portable,
        bench_ranks,
        bench_acting,
        bench_loading,
        bench_growth,
        bench_planning,
        bench_overhead,
        bench_database,
    ):
        with tempfile.TemporaryDirectory() as folder:
            bench(Path(folder))


if __name__ == "__main__":
    main()
