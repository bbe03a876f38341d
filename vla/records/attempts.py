"""The attempts at a run: one line when a job starts and one when it ends, killed ones included."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vla.errors import GoOnLaterError
from vla.files.clock import now
from vla.records.part import Part


class Attempt(Part):
    """One attempt at a run."""

    started: str
    """ISO 8601, UTC."""
    host: str
    process: int
    """Number of the process on that host."""
    ended: str
    """ISO 8601, UTC; of one that was killed, when it last wrote metrics."""
    outcome: str
    """`finished`, `killed`, or `stopped:` or `failed:` with the reason."""
    seconds: float
    """Wall time."""


def renamed(entry: dict[str, Any]) -> dict[str, Any]:
    """An attempt, or a line about one, in today's words: `outcome` was `how`."""
    return {"outcome" if name == "how" else name: value for name, value in entry.items()}


@contextmanager
def attempt(ledger: Path, heartbeat: Path) -> Iterator[Callable[[], tuple[Attempt, ...]]]:
    """Note in `ledger` that work starts, and how it ends.

    Gives a function that returns all attempts up to now, the present one last and as finished.
    An earlier attempt that noted no end was killed: it ended when it last wrote `heartbeat`.
    """
    before = read_attempts(ledger, heartbeat)
    if before and before[-1].outcome == "killed":
        _append(ledger, before[-1].model_dump(include={"ended", "outcome", "seconds"}))
    present = {"started": now(), "host": socket.gethostname(), "process": os.getpid()}
    _append(ledger, present)
    started, outcome = time.monotonic(), "killed"  # as by Ctrl-C before anything handles it

    def end(outcome: str) -> dict[str, Any]:
        seconds = round(time.monotonic() - started, 3)
        return {"ended": now(), "outcome": outcome, "seconds": seconds}

    try:
        yield lambda: (*before, Attempt(**present, **end("finished")))
        outcome = "finished"
    except GoOnLaterError as error:
        outcome = f"stopped: {error}"
        raise
    except Exception as error:
        outcome = f"failed: {str(error) or type(error).__name__}"
        raise
    finally:
        _append(ledger, end(outcome))


def read_attempts(ledger: Path, heartbeat: Path) -> tuple[Attempt, ...]:
    """Attempts in order.

    One without an end, be it still at work, counts as killed, with the time of `heartbeat` as its
    end. Whether it is at work is for those to know who hold the run's lock.
    """
    attempts: list[dict[str, Any]] = []
    for line in ledger.read_text(encoding="utf-8").splitlines() if ledger.is_file() else ():
        try:
            entry = renamed(json.loads(line))
        except json.JSONDecodeError:  # cut off by a crash
            continue
        if "started" in entry:
            attempts.append(entry)
        elif attempts:
            attempts[-1] |= entry
    for number, entry in enumerate(attempts):
        if "outcome" not in entry:
            last = number == len(attempts) - 1
            entry |= {"outcome": "killed"} | _until(entry["started"], heartbeat if last else None)
    return tuple(map(Attempt.model_validate, attempts))


def gpu_hours(attempts: Sequence[Attempt], device: str) -> float:
    """GPU time that the attempts held, those that were lost included; 0 on a CPU."""
    return sum(a.seconds for a in attempts) / 3600 if device.startswith("cuda") else 0.0


def _until(started: str, heartbeat: Path | None) -> dict[str, Any]:
    start = datetime.fromisoformat(started)
    end = start
    if heartbeat and heartbeat.is_file():
        end = max(start, datetime.fromtimestamp(heartbeat.stat().st_mtime, UTC))
    return {"ended": end.isoformat(timespec="seconds"), "seconds": (end - start).total_seconds()}


def _append(ledger: Path, entry: dict[str, Any]) -> None:
    try:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        # A line of its own even when the one before was cut off.
        torn = ledger.is_file() and not ledger.read_bytes().endswith(b"\n")
        with open(ledger, "a", encoding="utf-8") as stream:
            stream.write("\n" * torn + json.dumps(entry) + "\n")
    except OSError:  # a full disk must not hide why the work ended
        pass
