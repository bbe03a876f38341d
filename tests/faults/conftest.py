"""A project before its first run, and the bytes that an undisturbed run of it gives."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from killing import digest

from tests.project import Project
from tests.sharing import made_once


def pytest_terminal_summary(terminalreporter):
    """What was done to the workflow, and how it ended: `make test-faults` is there to be read."""
    reports = [r for how in ("passed", "failed") for r in terminalreporter.getreports(how)]
    told = [(r, prop) for r in reports if r.when == "call" for prop in r.user_properties]
    if told:
        terminalreporter.section("faults")
    for report, (name, value) in sorted(told, key=lambda entry: entry[0].nodeid):
        terminalreporter.line(f"{report.outcome}: {report.nodeid.split('::')[-1]}: {name} {value}")
    kills = [report for report, (name, _) in told if name == "killed after"]
    if kills:
        same = sum(report.passed for report in kills)
        terminalreporter.line(f"{same} of {len(kills)} killed workflows ended bit-identical")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """Before its first run, with a checkpoint after every other step. Not to be run."""
    return Project(made_once(tmp_path_factory, "fresh", make_fresh))


def make_fresh(root: Path) -> None:
    project = Project.create(root)
    for name in ("a", "b"):
        project.change(name, "experiment", seed=1)
        project.change(name, "training", num_steps=40)
        project.change(name, "checkpoints", save_every=2)
        project.change(name, "tracking", tensorboard=False)
        project.change(name, "evaluation", episodes_per_task=4)
    project.commit()


@pytest.fixture(scope="session")
def undisturbed(fresh, tmp_path_factory) -> tuple[Project, dict[str, str], float]:
    """A finished project (not to be changed), what it gave, and how many seconds it took."""

    def make(root: Path) -> None:
        started = time.monotonic()
        fresh.copy(root).snakemake()
        root.with_name("seconds").write_text(str(time.monotonic() - started))

    project = Project(made_once(tmp_path_factory, "undisturbed", make))
    return project, digest(project), float(project.root.with_name("seconds").read_text())


@pytest.fixture(scope="session")
def results_of_a(undisturbed) -> dict[str, str]:
    """What the undisturbed run gave for experiment `a`."""
    return {path: sha for path, sha in undisturbed[1].items() if path.startswith("experiments/a/")}


@pytest.fixture
def project_of_a(fresh, tmp_path) -> Project:
    """A project of experiment `a` alone, that wants 1 MB to stay free."""
    project = fresh.copy(tmp_path / "project")
    project.change("a", "resources", disk_gb=0.001)
    config = {"experiments": ["a"], "comparisons": [], "allow_dirty": True}
    project.write_yaml("config/config.yaml", config)
    return project


@pytest.fixture
def small_disk():
    """Mounts file systems of so many MB on folders; what the folders held is there again."""
    if os.geteuid():
        pytest.skip("mounting a file system needs root")
    mounted = []

    def mount(folder: Path, megabytes: int) -> None:
        folder.mkdir(exist_ok=True)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        size = f"size={megabytes}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
        mounted.append(folder)
        for name, content in files.items():
            (folder / name).write_bytes(content)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def folder_on_its_own_disk(project_of_a, small_disk):
    """The project, and the folder of its experiment, which lies on a file system of 40 MB."""
    folder = project_of_a.root / "experiments/a"
    small_disk(folder, 40)
    return project_of_a, folder
