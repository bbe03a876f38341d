"""Packages of the project's small experiments, and what a stranger does with them."""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.project import Project
from vla.package.building import Options, build_package
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.records.reproduction import ReproductionRecord

COMMANDS = tempfile.TemporaryDirectory()  # removed when this process ends

# Claims of experiment b.
RATES = {
    "success_rate/instructed",
    "success_rate/instructed/button-press-topdown-v3",
    "target",
}
FIGURES = {"figure/learning_curve", "figure/success_by_task"}


def build(project: Project, options: Options | None = None):
    plan = Plan(project.root, {"experiments": ["b"]}, Deployment(False, "cpu"))
    return build_package(plan, plan.find_experiment("b"), options or Options())


@cache
def commands_without_git() -> str:
    """A folder with the system's commands but Git."""
    folder = Path(COMMANDS.name)
    for command in Path("/usr/bin").iterdir():
        if not command.name.startswith("git"):
            (folder / command.name).symlink_to(command)
    return str(folder)


def run(folder: Path, *command: str) -> tuple[int, str]:
    """Exit code and what is printed, of a command on a machine without Git."""
    search = [str(Path(sys.executable).parent), commands_without_git()]
    finished = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={"PATH": os.pathsep.join(search), "HOME": "/nonexistent", "COLUMNS": "300"},
        capture_output=True,
        text=True,
    )
    return finished.returncode, finished.stdout + finished.stderr


def verdicts(folder: Path, level: str) -> dict[str, str]:
    record = ReproductionRecord.read(folder / f"reproduction-{level}.json")
    return {claim.name: claim.verdict for claim in record.claims}
