"""Files that are whole or absent: written under a temporary name, flushed, renamed."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

import psutil

from vla.errors import UserError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name in the same folder; on success flush it and rename it to `path`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last because writers (Matplotlib, PyAV) choose the format by it.
    beginning, ending = f".{path.stem}.{socket.gethostname()}-", f".part{path.suffix}"
    _remove_of_the_dead(path.parent, beginning, ending)
    temporary = path.with_name(f"{beginning}{os.getpid()}{ending}")
    try:
        yield temporary
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        _flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_of_the_dead(folder: Path, beginning: str, ending: str) -> None:
    """What processes of this machine that were killed have left of a file."""
    for path in folder.glob(f"{escape(beginning)}*{escape(ending)}"):
        process = path.name.removeprefix(beginning).removesuffix(ending)
        if process.isdecimal() and not _runs(int(process)):
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """A killed process whose parent has not asked for its end (in a container: never) is still listed."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def remove_leftovers(folder: Path) -> None:
    """Remove what `atomic_path` left in `folder` when its process was killed.

    For those who hold the folder (`exclusive`): nobody else may be writing there.
    """
    for path in folder.glob(".*.part*"):
        path.unlink()


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_space(path: Path, needed: int, way_out: str) -> None:
    """`UserError` when the file system of `path` has less than `needed` bytes free."""
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise UserError(
            f"The disk is full: {path.name} needs {needed / 1e6:.1f} MB, {free / 1e6:.1f} MB are "
            f"free in {path.parent}.",
            way_out,
        )


def write_atomic(path: Path, write: Callable[[Path], Any]) -> None:
    with atomic_path(path) as temporary:
        write(temporary)


def write_text(path: Path, text: str) -> None:
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")
