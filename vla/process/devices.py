"""GPUs of one machine, each in use by one job at a time."""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from vla.errors import UserError
from vla.process.accelerator import visible_gpus

VARIABLE = "CUDA_VISIBLE_DEVICES"
LOOK_EVERY = 1.0  # seconds


@contextmanager
def reserved_gpus(count: int) -> Iterator[None]:
    """Have `count` GPUs to oneself, and show CUDA no others; waits until so many are free.

    Enter before CUDA is used: it reads the variable once. Under SLURM the scheduler has done it.
    `UserError` when the machine, or CUDA_VISIBLE_DEVICES, has fewer.
    """
    if not count or "SLURM_JOB_ID" in os.environ or not (devices := _devices()):
        yield  # without any GPU, whoever needs one says so
        return
    if count > len(devices):
        raise UserError(
            f"{count} GPUs are asked for, and {len(devices)} are here ({', '.join(devices)}).",
            f"Ask for fewer, or show more in {VARIABLE}.",
        )
    with ExitStack() as held:
        taken = _take(count, devices, lock_folder(), held)
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = ",".join(taken)
        held.callback(_restore, before)
        yield


def lock_folder() -> Path:
    """Of this user on this machine: projects share its GPUs."""
    return Path(tempfile.gettempdir()) / f"vla-gpus-{os.getuid()}"


def _devices() -> list[str]:
    """Those that CUDA would show: numbers, or identifiers such as `GPU-8932f937` or `MIG-…`."""
    shown = os.environ.get(VARIABLE)
    if shown is None:
        return [str(number) for number in range(len(visible_gpus()))]
    return [name.strip() for name in shown.split(",") if name.strip() not in ("", "-1")]


def _take(count: int, devices: Sequence[str], folder: Path, held: ExitStack) -> list[str]:
    """Names of the devices taken; the system frees them when this process ends, however it ends."""
    folder.mkdir(mode=0o700, exist_ok=True)
    waits = False
    while True:
        with ExitStack() as attempt:
            taken = []
            for device in devices:
                if len(taken) < count and (lock := _lock(folder / device)):
                    attempt.callback(lock.close)
                    taken.append(device)
            if len(taken) == count:
                held.push(attempt.pop_all())
                return taken
        # Holding some while waiting for more, two jobs could wait for each other.
        if not waits:
            logging.getLogger("vla").info(
                "waits for %d of the GPUs %s: others work on them", count, ", ".join(devices)
            )
            waits = True
        time.sleep(LOOK_EVERY)


def _lock(path: Path) -> IO[str] | None:
    stream = open(path, "a", encoding="utf-8")  # noqa: SIM115 - the open file holds the lock
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        return None
    return stream


def _restore(before: str | None) -> None:
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before
