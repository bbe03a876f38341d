"""Notices anomalies in a run's metrics, and keeps them as events."""

import json
import math
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vla.config.monitoring import MonitoringSection
from vla.monitoring.detectors import DETECTORS, Row

WAYS_OUT = {
    "not_finite": "Lower training.learning_rate, lengthen training.warmup_steps, or look at the data.",
    "divergence": "Lower training.learning_rate or lengthen training.warmup_steps.",
    "disk_full": "Free some: `vla clean` shows what finished runs no longer need.",
}


@dataclass(frozen=True)
class Event:
    """One anomaly. `checkpoint`: step of the last checkpoint that a later, healthy row proves good."""

    kind: str
    step: int
    value: float
    threshold: float
    action: str
    checkpoint: int | None

    def describe(self) -> str:
        text = DETECTORS[self.kind][1].format(value=self.value, threshold=self.threshold)
        return f"{self.kind.replace('_', ' ')} at step {self.step}: {text}"

    @property
    def way_out(self) -> str:
        way = WAYS_OUT.get(self.kind, "Look at the curves: vla watch.")
        return f"{way} To go on regardless: monitoring.{self.kind}: warn."


class Monitor:
    """Looks at each row once, in order. A kind is told when it begins, not while it lasts.

    `healthy`: step of the newest row without a finding that stops the run.
    """

    def __init__(
        self, config: MonitoringSection, path: Path, history: list[Row], disk_reserve_gb: float
    ):
        """`path`: file that events are appended to; `history`: rows up to the resumed step;
        `disk_reserve_gb`: with less free space the disk counts as full."""
        self.config, self.path, self.disk_reserve_gb = config, path, disk_reserve_gb
        self.healthy = 0
        self._known = {(event["kind"], event["step"]) for event in read_events(path)}
        self._window: deque[Row] = deque(maxlen=config.window)
        self._first: Row = {}
        self._lasting: set[str] = set()
        for row in history:
            self._examine(row)
        # What ended the attempt before is told again, and ends this one too while it lasts.
        self._lasting -= {kind for kind in self._lasting if "stop" in getattr(config, kind)}

    def check(self, row: Row, checkpoints: Callable[[], list[int]]) -> list[Event]:
        """Anomalies that begin with this row; `checkpoints` tells the steps of those on disk."""
        found = self._examine(row)
        if not found:
            return []
        good = max((step for step in checkpoints() if step < self.healthy), default=None)
        events = [
            Event(kind, int(row["step"]), *finding, getattr(self.config, kind), good)
            for kind, finding in found.items()
        ]
        new = [event for event in events if (event.kind, event.step) not in self._known]
        if new:
            with open(self.path, "a", encoding="utf-8") as stream:
                stream.writelines(json.dumps(_plain(asdict(event))) + "\n" for event in new)
        return events

    def _examine(self, row: Row) -> dict[str, tuple[float, float]]:
        """What begins to be anomalous, by kind; takes the row into the window."""
        row = row | {"disk_reserve_gb": self.disk_reserve_gb}
        self._first = self._first or row
        findings = {}
        for kind, (detector, _) in DETECTORS.items():
            if getattr(self.config, kind) != "ignore":
                found = detector(row, self._window, self._first, self.config)
                if found:
                    findings[kind] = found
        new = {kind: found for kind, found in findings.items() if kind not in self._lasting}
        self._lasting = set(findings)
        if not any("stop" in getattr(self.config, kind) for kind in findings):
            self.healthy = int(row["step"])
        self._window.append(row)
        return new


def read_events(path: Path) -> list[dict[str, Any]]:
    """Events of a run, in order; a line that was cut off is left out."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return events


def describe_event(event: dict[str, Any]) -> str:
    """An event that was read, in words."""
    numbers = {name: float(event[name]) for name in ("value", "threshold")}
    return Event(**event | numbers).describe()


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity: they become text, which `float` reads."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in event.items()
    }
