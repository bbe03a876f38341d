"""Killing the workflow, and what it must have made in the end."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.project import Project
from vla.files.hashing import sha256_file

# What must repeat bit for bit: policies, episodes, summaries, tables, figures, comparisons.
RESULTS = (
    "experiments/*/checkpoints/*/policy.safetensors",
    "experiments/*/results/*/*/episodes.parquet",
    "experiments/*/results/summary-*/*.json",
    "experiments/*/results/summary-*/*.csv",
    "experiments/*/results/figures-*/*.svg",
    "experiments/*/results/figures-*/*.csv",
    "results/*/comparison.*",
)


def digest(project: Project) -> dict[str, str]:
    """SHA-256 of every result, by path."""
    paths = [path for pattern in RESULTS for path in project.root.glob(pattern)]
    whole = [path for path in paths if not path.name.startswith(".")]
    return {str(path.relative_to(project.root)): sha256_file(path) for path in whole}


def run_and_kill(project: Project, after: float, until: str = "") -> list[str] | None:
    """Start the workflow, SIGKILL all of it after so many seconds; returns the scripts that ran then,
    None when it was over.

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
            return None
        time.sleep(0.02)
    scripts = running_scripts(running.pid)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    return scripts


def running_scripts(pid: int) -> list[str]:
    """Names of the scripts that run below a Snakemake process: ['evaluate', 'train']."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found += re.findall(r"/tmp\w+\.(\w+)\.py", " ".join(process.cmdline()))
    return sorted(found)


def leftovers(folder: Path) -> list[Path]:
    """Files that bear a temporary name."""
    return [path for path in folder.rglob("*") if ".part" in path.name]
