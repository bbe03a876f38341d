"""Rows of the metrics file as training goes on, and the anomalies that monitors find in them."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from vla.config.complete import ExperimentConfig
from vla.monitoring.descriptions import describe_event
from vla.monitoring.monitor import Monitor
from vla.monitoring.usage import Usage
from vla.records.events import Event
from vla.tracking.metrics import MetricsLog
from vla.training.checkpoint import SinceRow
from vla.training.loop import Step

logger = logging.getLogger("vla")


class MetricRows:
    """A row every `tracking.log_every` steps, and after the first and the last one.

    `mean_loss`: of the newest row; `since_row`: losses and norms of the steps since it; `waited`:
    seconds since it that training waited for batches.
    """

    def __init__(
        self, config: ExperimentConfig, logs: Path, usage: Usage, first: int, since_row: SinceRow
    ):
        """`first`, `since_row`: the step that training goes on from, and what it holds."""
        self.config, self.usage, self.since_row = config, usage, since_row
        self.mean_loss, self.waited = math.nan, 0.0
        self._metrics = MetricsLog(logs)
        self._monitor = Monitor(
            config.monitoring,
            logs / "events.jsonl",
            self._metrics.rows_until(first),
            disk_reserve_gb=config.resources.disk_gb / 4,
        )
        self._started = self._since = time.monotonic()

    def seconds(self) -> float:
        """Wall time of this attempt and those before."""
        return self._metrics.seconds_before + time.monotonic() - self._started

    def add(self, step: Step, checkpoints: Callable[[], list[int]], at_once: bool) -> list[Event]:
        """Take one step in; returns the anomalies that begin with its row, if it completes one.

        `checkpoints`: gives the steps of those on disk; `at_once`: write a row though none is due.
        """
        self.since_row["losses"].append(step.loss)
        self.since_row["norms"].append(step.norm)
        last = step.done == self.config.training.num_steps
        due = step.done == 1 or last or step.done % self.config.tracking.log_every == 0
        if not (at_once or due):
            return []
        row = self._complete_row(step)
        before = self._metrics.log(row)
        if before and self.config.training.determinism != "fast":
            row["loss_before"] = float(before["loss"])
        events = self._monitor.check(row, checkpoints)
        for event in events:
            logger.warning("Anomaly: %s", describe_event(event))
        return events

    def sync(self) -> None:
        """Rows written so far survive a power failure."""
        self._metrics.sync()

    def close(self) -> None:
        self._metrics.close()

    def _complete_row(self, step: Step) -> dict[str, float]:
        """The row of all steps since the one before; begins the next."""
        losses, norms = (torch.stack(self.since_row[name]) for name in ("losses", "norms"))
        self.mean_loss = losses.mean().item()
        took = time.monotonic() - self._since
        row = {
            "step": step.done,
            "loss": self.mean_loss,
            "learning_rate": step.rate,
            "gradient_norm": norms.max().item(),
            "samples_per_second": len(losses) * self.config.training.batch_size / took,
            "data_wait": self.waited / took,
            **self.usage.sample(),
            "seconds": self.seconds(),
        }
        self._since, self.waited = time.monotonic(), 0.0
        self.since_row = {"losses": [], "norms": []}
        return row
