"""The metrics file: CSV, one row every few steps, the one source of every curve."""

import csv
import os
from pathlib import Path

COLUMNS = (
    "step",
    "loss",
    "learning_rate",
    "gradient_norm",  # the largest since the row before, before clipping
    "samples_per_second",
    "data_wait",  # fraction of the time that training waited for batches
    "cpu_percent",  # of one core
    "cpu_energy_j",  # drawn by the machine's processors since this attempt began
    "memory_gb",
    "gpu_percent",
    "gpu_memory_gb",
    "gpu_energy_j",  # drawn by the GPU since this attempt began
    "disk_free_gb",
    "seconds",  # wall time of all attempts; the last column, so that a row with it is whole
)


class MetricsLog:
    """Appends rows to `metrics.csv`. A step that was logged before is not logged again: a resumed
    run repeats the steps since its checkpoint, and curves must not show them twice.

    `last_step`, `seconds_before`: of the newest row that an earlier attempt wrote; 0 without one.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "metrics.csv"
        rows = read_metrics(self.path)
        self._known = {int(row["step"]): row for row in rows}
        self.last_step = max(self._known, default=0)
        self.seconds_before = float(rows[-1]["seconds"]) if rows else 0.0
        temporary = self.path.with_suffix(".part")
        self._stream = open(temporary, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = csv.DictWriter(self._stream, COLUMNS)
        self._writer.writeheader()
        self._writer.writerows(rows)  # without one that was cut off
        self._stream.flush()
        temporary.replace(self.path)

    def log(self, row: dict[str, float]) -> dict[str, str] | None:
        """Write a row; columns without a value stay empty. Returns the row that is already there
        for this step, if there is one; then nothing is written."""
        if row["step"] in self._known:
            return self._known[int(row["step"])]
        self._writer.writerow(row)
        self._stream.flush()
        return None

    def rows_until(self, step: int) -> list[dict[str, float]]:
        """The rows of earlier attempts up to a step; columns without a value are left out."""
        return [numbers(row) for number, row in self._known.items() if number <= step]

    def sync(self) -> None:
        """Rows written so far survive a power failure; called before a checkpoint relies on them."""
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        self._stream.close()


def numbers(row: dict[str, str]) -> dict[str, float]:
    """A row as numbers; columns without a value are left out."""
    return {name: float(value) for name, value in row.items() if value}


def read_metrics(path: Path) -> list[dict[str, str]]:
    """Complete rows of a metrics file; [] when there is none. A row cut off by a crash is left out."""
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if row["seconds"]]
