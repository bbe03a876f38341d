"""Notices anomalies in a run's metrics, and keeps them as events."""

from collections import deque
from collections.abc import Callable
from pathlib import Path

from vla.config.monitoring import MonitoringSection
from vla.monitoring.detectors import DETECTORS, Row
from vla.records.events import Event, append_events, read_events


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
        self._known = {(event.kind, event.step) for event in read_events(path)}
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
            Event(
                kind=kind,
                step=int(row["step"]),
                value=value,
                threshold=threshold,
                action=getattr(self.config, kind),
                checkpoint=good,
            )
            for kind, (value, threshold) in found.items()
        ]
        new = [event for event in events if (event.kind, event.step) not in self._known]
        if new:
            append_events(self.path, new)
        return events

    def _examine(self, row: Row) -> dict[str, tuple[float, float]]:
        """What begins to be anomalous, by kind; takes the row into the window."""
        row = row | {"disk_reserve_gb": self.disk_reserve_gb}
        self._first = self._first or row
        findings = {}
        for kind, detector in DETECTORS.items():
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
