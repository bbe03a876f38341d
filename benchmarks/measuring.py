"""How benchmarks measure, and how they print it: ratios, each the median of pairs measured in turn."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAIRS = 5


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(work: Callable[[], object], reference: Callable[[], object]) -> tuple[float, float]:
    """Median of `work` over `reference`, and the median of `work` in seconds."""
    pairs = [(seconds(work), seconds(reference)) for _ in range(PAIRS)]
    return statistics.median(a / b for a, b in pairs), statistics.median(a for a, _ in pairs)


def run(*command: object, folder: Path, library: Path = ROOT) -> str:
    """Run a command in `folder` with the library of that checkout; returns what it prints."""
    finished = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        sys.exit(f"{finished.stdout}{finished.stderr}\n{' '.join(map(str, command))} failed")
    return finished.stdout


def row(name: str, value: float, remark: str) -> None:
    print(f"| {name} | {value:.3f} | {remark} |", flush=True)
