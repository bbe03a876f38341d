"""A process of its own that copies the metrics file into trackers, while a run goes on.

`python -m vla.tracking.mirror`, started by `Mirroring`. It reads one line of JSON (the run) and, when
the run ends, a second (how); without that second line the run was killed. What goes wrong with a
tracker is one line of its output; the run does not notice.
"""

import csv
import fcntl
import importlib
import io
import json
import logging
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from vla.tracking.metrics import COLUMNS, numbers
from vla.tracking.tracker import Row, TrackedRun, Tracker

EVERY = 2.0  # seconds between two looks at the metrics file
TRACKERS = {
    "tensorboard": ("vla.tracking.to_tensorboard", "TensorBoardTracker"),
    "mlflow": ("vla.tracking.to_mlflow", "MlflowTracker"),
    "wandb": ("vla.tracking.to_wandb", "WandbTracker"),
}


class Pipe:
    """Lines from a pipe, waited for no longer than one likes. (A buffered stream may hold a line
    that `select` then never announces.)"""

    def __init__(self, descriptor: int):
        self._descriptor, self._buffer = descriptor, b""

    def line(self, timeout: float | None) -> str | None:
        """The next line; "" when the other end is gone; None when there is none yet."""
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._descriptor], [], [], timeout)
            if not readable:
                return None
            content = os.read(self._descriptor, 1 << 16)
            if not content:
                return ""
            self._buffer += content
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()


class MetricsTail:
    """Reads a growing metrics file: each call of `new_rows` gives the rows since the last one."""

    def __init__(self, path: Path):
        self.path, self._offset = path, 0

    def new_rows(self) -> list[Row]:
        if not self.path.is_file():  # training has not begun
            return []
        with open(self.path, "rb") as stream:
            stream.seek(self._offset)
            text = stream.read()
        whole = text[: text.rfind(b"\n") + 1]  # the last line may be half written
        self._offset += len(whole)
        rows = csv.DictReader(io.StringIO(whole.decode()), COLUMNS)
        return [numbers(row) for row in rows if row["step"] != "step"]


class Guarded:
    """A tracker whose first failure ends it and is told, once."""

    def __init__(self, name: str, run: TrackedRun):
        self.name, self.run = name, run
        self.tracker: Tracker | None = None
        self.known = 0
        self._guard(self._start)

    def log(self, rows: list[Row]) -> None:
        new = [row for row in rows if row["step"] > self.known]
        if self.tracker and new:
            self._guard(lambda: self.tracker.log(new))

    def finish(self, status: str, facts: dict[str, Any]) -> None:
        if self.tracker:
            self._guard(lambda: self.tracker.finish(status, facts))

    def _start(self) -> None:
        module, name = TRACKERS[self.name]
        tracker = getattr(importlib.import_module(module), name)()
        self.known = tracker.start(self.run)
        self.tracker = tracker

    def _guard(self, work: Any) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a tracker must never disturb a run
            self.tracker = None
            traceback.print_exc()
            reason = str(error).strip().splitlines() or [""]
            print(f"{self.name} stopped: {type(error).__name__}: {reason[0]}", flush=True)


def mirror(run: TrackedRun, names: list[str], pipe: Pipe) -> None:
    """Copy rows until the pipe from the run tells how the run ended, or closes."""
    trackers = [Guarded(name, run) for name in names]
    tail = MetricsTail(run.logs / "metrics.csv")
    ended = None
    while ended is None:
        ended = pipe.line(EVERY)
        rows = tail.new_rows()
        for tracker in trackers:
            tracker.log(rows)
    how = json.loads(ended) if ended else {"status": "KILLED", "facts": {}}
    for tracker in trackers:
        tracker.finish(how["status"], how["facts"])


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):  # the run tells when it is over
        signal.signal(number, signal.SIG_IGN)
    os.nice(10)
    logging.basicConfig(level=logging.WARNING)
    pipe = Pipe(sys.stdin.fileno())
    told = json.loads(pipe.line(None))
    paths = {name: Path(told["run"][name]) for name in ("root", "logs")}
    run = TrackedRun(**told["run"] | paths)
    # The mirror of a run that was killed may still be copying: it ends by itself, and what it has
    # copied must be in the trackers before this one asks them what they hold.
    with open(run.logs / ".tracking.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mirror(run, told["trackers"], pipe)


if __name__ == "__main__":
    main()
