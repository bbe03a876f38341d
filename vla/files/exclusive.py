"""A folder in which one process works at a time."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vla.errors import UserError


class BusyError(UserError):
    """Another process is at work there."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other processes, on this machine or another, from working in `folder` meanwhile.

    `BusyError` when one is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+", encoding="utf-8") as stream:
        for patience in (0.1, 0.4, 0):  # `vla watch` holds it for a moment when it looks
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(patience)
        else:
            stream.seek(0)
            raise BusyError(
                f"Another process is at work in {folder}: {stream.read() or 'unknown'}.",
                "Let it end, or end it; then run snakemake again.",
            )
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        yield
