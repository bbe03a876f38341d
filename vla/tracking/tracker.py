"""What every tracker does, and what it is told about a run."""

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, float]


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers know it.

    `logs`: the folder of its metrics file; `name`: its folder's name; `parameters`: every
    hyperparameter by dotted name; `tags`: key, commit and the like.
    """

    root: Path
    logs: Path
    experiment: str
    name: str
    key: str
    description: str
    parameters: dict[str, Any]
    tags: dict[str, str]
    settings: dict[str, Any]


def mlflow_address(settings: dict[str, Any]) -> str:
    """`MLFLOW_TRACKING_URI`, or the setting; empty for the database in the project's folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or settings["mlflow_uri"]


class Tracker(ABC):
    """Shows a run elsewhere. Given the rows in order, each once; may raise anything."""

    @abstractmethod
    def start(self, run: TrackedRun) -> int:
        """Open the run, or go on with it; returns the step up to which it holds the rows already."""

    @abstractmethod
    def log(self, rows: list[Row]) -> None:
        """Add rows: `step` and metrics by name."""

    @abstractmethod
    def finish(self, status: str, facts: dict[str, Any]) -> None:
        """Close. `status`: FINISHED, FAILED or KILLED; `facts`: artefacts by reference, final numbers."""
