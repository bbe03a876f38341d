"""A process of its own that copies the metrics file into trackers, while a run goes on.

`python -m vla.tracking.mirror`, started by `Mirroring`. It reads one line of JSON (the run) and, when
the run ends, a second (how); without that second line the run was killed. What goes wrong with a
tracker is one line of its output; the run does not notice. What a tracker missed is sent once it is back:
by this process, or later by `vla sync` (`vla.tracking.unsent`).
"""

import csv
import importlib
import io
import json
import logging
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vla.tracking.metrics import COLUMNS, numbers
from vla.tracking.tracker import Row, TrackedRun, Tracker
from vla.tracking.unsent import tracking_lock, write_unsent

EVERY = 2.0  # seconds between two looks at the metrics file
AGAIN = 30.0  # seconds after which a tracker that failed is tried again
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
    """A tracker whose failures harm nothing: it is opened again, and goes on from what it holds.

    `problem`: its last failure in words; None while it holds all that it was given. `quiet`: the caller
    tells it.
    """

    def __init__(self, name: str, run: TrackedRun, quiet: bool = False):
        self.name, self.run, self.quiet = name, run, quiet
        self.tracker: Tracker | None = None
        self.problem: str | None = None
        self._not_before = 0.0

    def copy(self) -> None:
        """Give it the rows that it lacks; after a failure not before a while has passed."""
        if self.tracker or time.monotonic() >= self._not_before:
            self._guard(self._copy)

    def finish(self, status: str, facts: dict[str, Any]) -> None:
        """Give it all that it lacks, and how the run ended."""

        def work() -> None:
            self._copy()
            self.tracker.finish(status, facts)

        self._guard(work)

    def _copy(self) -> None:
        if self.tracker is None:
            module, name = TRACKERS[self.name]
            tracker = getattr(importlib.import_module(module), name)()
            self._known = tracker.start(self.run)
            self._tail = MetricsTail(self.run.logs / "metrics.csv")
            self.tracker = tracker
        rows = [row for row in self._tail.new_rows() if row["step"] > self._known]
        if rows:
            self.tracker.log(rows)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a tracker must never disturb a run
            self.tracker = None
            self._not_before = time.monotonic() + AGAIN
            reason = str(error).strip().splitlines() or [""]
            first, self.problem = self.problem is None, f"{type(error).__name__}: {reason[0]}"
            if not self.quiet:
                traceback.print_exc()
                if first:
                    print(f"{self.name} stopped: {self.problem}", flush=True)
        else:
            if self.problem and not self.quiet:
                print(f"{self.name} is back, and holds all rows so far.", flush=True)
            self.problem = None


def mirror(run: TrackedRun, names: list[str], pipe: Pipe) -> None:
    """Copy rows until the pipe from the run tells how the run ended, or closes."""
    trackers = [Guarded(name, run) for name in names]
    _note(run, names, "KILLED", {})
    ended = None
    while ended is None:
        ended = pipe.line(EVERY)
        for tracker in trackers:
            tracker.copy()
    told = json.loads(ended) if ended else {"status": "KILLED", "facts": {}}
    _note(run, names, told["status"], told["facts"])
    for tracker in trackers:
        tracker.finish(told["status"], told["facts"])
    lacking = [tracker.name for tracker in trackers if tracker.problem]
    _note(run, lacking, told["status"], told["facts"])
    if lacking:
        print(f"{' and '.join(lacking)} did not get everything: vla sync sends it.", flush=True)


def _note(run: TrackedRun, trackers: list[str], status: str, facts: dict[str, Any]) -> None:
    """What trackers may lack, while there is space to write it: they get it all the same."""
    try:
        write_unsent(run, trackers, status, facts)
    except (OSError, ValueError):
        traceback.print_exc()


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
    with tracking_lock(run.logs):
        mirror(run, told["trackers"], pipe)


if __name__ == "__main__":
    main()
