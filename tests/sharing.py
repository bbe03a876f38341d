"""What is expensive to make is made once for all processes that run tests."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` fills, in whichever process asks first; the others wait for it.

    What failed is tried again by the next one that asks, in a folder of its own.
    """
    base = factory.getbasetemp()
    if base.name.startswith("popen-"):  # of one worker of pytest-xdist
        base = base.parent
    made = base / f"{name}.made"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_file():
            folder = factory.mktemp(name) / "project"
            make(folder)
            made.write_text(str(folder))
    return Path(made.read_text())
