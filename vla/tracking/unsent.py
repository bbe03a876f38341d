"""What trackers have missed: kept beside the metrics file until they hold it, and sent by `vla sync`."""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from vla.process.address import public_address
from vla.records.unsent import UnsentRecord
from vla.tracking.tracker import TrackedRun, mlflow_address

FILE = "unsent.json"
PLACES = ("root", "logs")  # of a tracked run; where a project lies is no part of the record


def write_unsent(
    run: TrackedRun, trackers: Iterable[str], status: str, facts: dict[str, Any]
) -> None:
    """Note what `trackers` may lack of a run; when there are none, take the note away."""
    path, trackers = run.logs / FILE, tuple(trackers)
    if not trackers:
        path.unlink(missing_ok=True)
        return
    values = {f.name: getattr(run, f.name) for f in fields(run) if f.name not in PLACES}
    # Tried again later, perhaps in a shell without the variable: then it must find the same server.
    server = public_address(mlflow_address(run.settings))
    values["settings"] = run.settings | {"mlflow_uri": server}
    UnsentRecord(trackers=trackers, status=status, facts=facts, **values).write(path)


def find_unsent(root: Path) -> list[Path]:
    """Notes of all runs in a project, of experiments that are listed or not."""
    return sorted(root.glob(f"experiments/*/logs/*/{FILE}"))


def read_unsent(path: Path, root: Path) -> tuple[TrackedRun, UnsentRecord]:
    """The run that a note is about, and the note."""
    record = UnsentRecord.read(path)
    names = [f.name for f in fields(TrackedRun) if f.name not in PLACES]
    values = {name: getattr(record, name) for name in names}
    return TrackedRun(root=root, logs=path.parent, **values), record


@contextmanager
def tracking_lock(logs: Path, wait: bool = True) -> Iterator[None]:
    """One process at a time copies a run into its trackers; `BlockingIOError` when it may not wait."""
    with open(logs / ".tracking.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
