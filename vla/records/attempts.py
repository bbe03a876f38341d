"""The attempts at a run: one line when a job starts and one when it ends, killed ones included."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vla.errors import GoOnLaterError
from vla.files.clock import now


@contextmanager
def attempt(ledger: Path, heartbeat: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Note in `ledger` that work starts, and how it ends.

    Gives a function that tells all attempts up to now, the present one last and as finished.
    An earlier attempt that noted no end was killed: it ended when it last wrote `heartbeat`.
    """
    before = read_attempts(ledger, heartbeat)
    if before and before[-1]["how"] == "killed":
        _append(ledger, {name: before[-1][name] for name in ("ended", "how", "seconds")})
    present = {"started": now(), "host": socket.gethostname(), "process": os.getpid()}
    _append(ledger, present)
    started, how = time.monotonic(), "killed"  # as by Ctrl-C before anything handles it

    def end(how: str) -> dict[str, Any]:
        return {"ended": now(), "how": how, "seconds": round(time.monotonic() - started, 3)}

    try:
        yield lambda: [*before, present | end("finished")]
        how = "finished"
    except GoOnLaterError as error:
        how = f"stopped: {error}"
        raise
    except Exception as error:
        how = f"failed: {str(error) or type(error).__name__}"
        raise
    finally:
        _append(ledger, end(how))


def read_attempts(ledger: Path, heartbeat: Path) -> list[dict[str, Any]]:
    """Attempts in order: `started`, `host`, `process`, `ended`, `how`, `seconds` of wall time.

    One without an end, be it still at work, has `how` 'killed' and the time of `heartbeat` as its
    end. Whether it is at work is for those to know who hold the run's lock.
    """
    attempts: list[dict[str, Any]] = []
    for line in ledger.read_text(encoding="utf-8").splitlines() if ledger.is_file() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # cut off by a crash
            continue
        if "started" in entry:
            attempts.append(entry)
        elif attempts:
            attempts[-1] |= entry
    for number, entry in enumerate(attempts):
        if "how" not in entry:
            last = number == len(attempts) - 1
            entry |= {"how": "killed"} | _until(entry["started"], heartbeat if last else None)
    return attempts


def gpu_hours(attempts: list[dict[str, Any]], device: str) -> float:
    """GPU time that the attempts held, those that were lost included; 0 on a CPU."""
    return sum(a["seconds"] for a in attempts) / 3600 if device.startswith("cuda") else 0.0


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
