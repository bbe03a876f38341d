"""Projects for the cluster, and Snakemake that runs beside the test."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from cluster import PATIENCE, Cluster, wait_for

from tests.project import Project
from vla.records.run import RunRecord

PROFILE = "profiles/slurm/config.yaml"
# What the cluster of the tests is like: a fake GPU for each training, quick answers, and a time limit
# that comes while one of the trainings is at work.
TIME_LIMIT = "3 if wildcards.experiment == 'b' and wildcards.run.startswith('seed2') else 60"
SITE = (
    ("slurm-init-seconds-before-status-checks: 20", "slurm-init-seconds-before-status-checks: 2"),
    ("latency-wait: 120", "latency-wait: 30"),
    ("  train:\n", f'  train:\n    gpu: 1\n    runtime: "{TIME_LIMIT}"\n'),
    ("--signal=TERM@300", "--signal=TERM@60"),
)


def prepare(root: Path) -> Project:
    """Experiments `a` and `b` with seeds 1 and 2, slow until they were disturbed."""
    project = Project.create(root)
    for old, new in SITE:
        project.edit(PROFILE, old, new)
    for name in ("a", "b"):
        project.change(name, "experiment", seed=[1, 2])
        project.change(name, "training", num_steps=400)
        project.change(name, "checkpoints", save_every=10)
        project.change(name, "tracking", tensorboard=False)
        project.change(name, "evaluation", episodes_per_task=1, max_steps=4, videos_per_task=1)
        project.change(name, "resources", training_memory_gb=1.5, evaluation_memory_gb=2)
        shutil.copy2(
            Path(__file__).with_name("training_code.py"), root / f"experiments/{name}/train.py"
        )
    project.commit()
    return project


class Workflow:
    """Snakemake with the cluster's profile, at work in `project`. Leaving it ends it."""

    def __init__(self, project: Project, *arguments: str, profile: str = "profiles/slurm"):
        handle, name = tempfile.mkstemp(prefix="printed-", dir=project.root)
        self.log = Path(name)
        with open(handle, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--profile", profile, *arguments],
                cwd=project.root,
                env=os.environ | project.variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> "Workflow":
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def printed(self) -> str:
        return self.log.read_text(errors="replace")

    def wait(self, patience: float = 2 * PATIENCE) -> int:
        """Its exit code."""
        wait_for("end of Snakemake", lambda: self.process.poll() is not None, patience)
        return self.process.returncode


class Training:
    """One training on the cluster: experiment and seed."""

    def __init__(self, cluster: Cluster, project: Project, experiment: str, seed: int):
        self.cluster, self.experiment, self.seed = cluster, experiment, seed
        self.folder = project.root / "experiments" / experiment

    def __str__(self) -> str:
        return f"{self.experiment} seed {self.seed}"

    def wait_until_at_work(self) -> str:
        """Number of its job, once it has saved a state to resume from."""
        states = f"checkpoints/seed{self.seed}-*/step_*[1-9]0.safetensors"
        wait_for(f"checkpoint of {self}", lambda: list(self.folder.glob(states)))
        return self.number()

    def number(self) -> str:
        comment = f"rule_train_wildcards_{self.experiment}_seed{self.seed}-"
        return wait_for(f"job of {self}", lambda: self.cluster.find_job(comment))

    def node(self) -> str:
        return self.cluster.job(self.number())["NodeList"]

    def wait_for_restart(self) -> None:
        """Until SLURM has put it back into its queue, or started it again; from then on it is quick."""
        restarts = lambda: int(self.cluster.job(self.number())["Restarts"])  # noqa: E731
        wait_for(f"restart of {self}", restarts)
        self.be_quick()

    def be_quick(self) -> None:
        (self.folder / f"disturbed-{self.seed}").touch()

    def record(self) -> RunRecord:
        (path,) = self.folder.glob(f"results/seed{self.seed}-*/run.json")
        return RunRecord.read(path)
