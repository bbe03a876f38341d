"""A project before its first run, and the bytes that an undisturbed run of it gives."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.project import Project
from vla.files import sha256_file

# What must repeat bit for bit: policies, episodes, summaries, tables, figures, comparisons.
RESULTS = (
    "experiments/*/checkpoints/*/policy.safetensors",
    "experiments/*/results/*/*/episodes.parquet",
    "experiments/*/results/summary-*/*.json",
    "experiments/*/results/summary-*/*.csv",
    "experiments/*/results/figures-*/*.svg",
    "results/*/comparison.*",
)


def digest(project: Project) -> dict[str, str]:
    """SHA-256 of every result, by path."""
    paths = [path for pattern in RESULTS for path in project.root.glob(pattern)]
    whole = [path for path in paths if not path.name.startswith(".")]
    return {str(path.relative_to(project.root)): sha256_file(path) for path in whole}


def run_and_kill(project: Project, after: float, until: str = "") -> bool:
    """Start the workflow, SIGKILL all of it after so many seconds; whether it still ran then.

    `until`: a pattern; the end comes as soon as a file matches, if that is earlier.
    """
    running = subprocess.Popen(
        [sys.executable, "-m", "snakemake"],
        cwd=project.root,
        env=os.environ | project.variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + after
    while time.monotonic() < end and not (until and list(project.root.glob(until))):
        if running.poll() is not None:
            return False
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    return True


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """Before its first run, with a checkpoint after every other step. Not to be run."""
    project = Project.create(tmp_path_factory.mktemp("fresh") / "project")
    for name in ("a", "b"):
        project.change(name, "experiment", seed=1)
        project.change(name, "training", num_steps=40)
        project.change(name, "checkpoints", save_every=2)
        project.change(name, "evaluation", episodes_per_task=4)
    project.commit()
    return project


@pytest.fixture(scope="session")
def undisturbed(fresh, tmp_path_factory) -> tuple[Project, dict[str, str], float]:
    """A finished project (not to be changed), what it gave, and how many seconds it took."""
    project = fresh.copy(tmp_path_factory.mktemp("undisturbed") / "project")
    started = time.monotonic()
    project.snakemake()
    return project, digest(project), time.monotonic() - started


@pytest.fixture
def folder_on_its_own_disk(fresh, tmp_path):
    """A project whose experiment `a` lies on a file system of 40 MB."""
    if os.geteuid():
        pytest.skip("mounting a file system needs root")
    project = fresh.copy(tmp_path / "project")
    folder = project.root / "experiments/a"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    project.change("a", "resources", disk_gb=0.001)
    yield project, folder
    subprocess.run(["umount", str(folder)], check=True)


def leftovers(folder: Path) -> list[Path]:
    """Files that bear a temporary name."""
    return [path for path in folder.rglob("*") if ".part" in path.name]
