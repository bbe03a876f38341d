"""The metrics file (CSV, one row every few steps) and TensorBoard events beside it."""

import csv
import json
import os
from pathlib import Path
from typing import Any

COLUMNS = ("step", "loss", "learning_rate", "gradient_norm", "samples_per_second", "seconds")


class MetricsLog:
    """Appends rows to `metrics.csv`; a resumed run drops the rows after its checkpoint first."""

    def __init__(self, folder: Path, resumed_step: int, tensorboard: bool, config: dict[str, Any]):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "metrics.csv"
        kept = [row for row in read_metrics(self.path) if int(row["step"]) <= resumed_step]
        self.seconds_before = float(kept[-1]["seconds"]) if kept else 0.0
        temporary = self.path.with_suffix(".part")
        self._stream = open(temporary, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = csv.DictWriter(self._stream, COLUMNS)
        self._writer.writeheader()
        self._writer.writerows(kept)
        self._stream.flush()
        temporary.replace(self.path)
        self._tensorboard = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._tensorboard = SummaryWriter(
                str(folder / "tensorboard"), purge_step=resumed_step + 1
            )
            self._tensorboard.add_text(
                "configuration", f"```json\n{json.dumps(config, indent=2)}\n```"
            )

    def log(self, row: dict[str, float]) -> None:
        self._writer.writerow(row)
        self._stream.flush()
        if self._tensorboard:
            for name in COLUMNS[1:]:
                self._tensorboard.add_scalar(f"train/{name}", row[name], int(row["step"]))

    def sync(self) -> None:
        """Rows written so far survive a power failure; called before a checkpoint relies on them."""
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        self._stream.close()
        if self._tensorboard:
            self._tensorboard.close()


def read_metrics(path: Path) -> list[dict[str, str]]:
    """Complete rows of a metrics file; [] when there is none. A row cut off by a crash is left out."""
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if row["seconds"]]
