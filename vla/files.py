"""Files that are whole or absent: atomic writes, hashes, JSON records that show every change."""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from psutil import pid_exists

from vla.errors import UserError

UNSEALED = "0" * 64
SEAL_END = len('"\n}\n')  # what follows the seal's digits


def sha256_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file as 64 hex digits, read in blocks of 1 MiB."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_json(value: Any) -> str:
    return sha256_bytes(canonical_json(value).encode())


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
        if process.isdecimal() and not pid_exists(int(process)):
            path.unlink(missing_ok=True)


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


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep other processes, on this machine or another, from working in `folder` meanwhile."""
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
            raise UserError(
                f"Another process is at work in {folder}: {stream.read() or 'unknown'}.",
                "Let it end, or end it; then run snakemake again.",
            )
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        yield


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


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or torn one is a `UserError`."""
    return _parse_json(path, _read_bytes(path))


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write JSON whose last field, `seal`, is the SHA-256 of the whole text with that field zero."""
    text = json.dumps({**value, "seal": UNSEALED}, indent=2, allow_nan=False) + "\n"
    write_text(path, text[: -SEAL_END - 64] + sha256_bytes(text.encode()) + text[-SEAL_END:])


def read_sealed(path: Path) -> dict[str, Any]:
    """Read what `write_sealed` wrote; `UserError` when it is missing or any byte has changed."""
    content = _read_bytes(path)
    digits = content[-SEAL_END - 64 : -SEAL_END]
    unsealed = content[: -SEAL_END - 64] + UNSEALED.encode() + content[-SEAL_END:]
    if digits.decode("ascii", "replace") != sha256_bytes(unsealed):
        raise UserError(
            f"{path} is damaged: its text does not have the SHA-256 that it ends with.",
            "Set it aside and run snakemake again.",
        )
    record = _parse_json(path, content)
    record.pop("seal")
    return record


def _read_bytes(path: Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing.", "Run snakemake again: it makes what is missing."
        ) from None


def _parse_json(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is not valid JSON ({error}).",
            "The file is damaged: set it aside and run snakemake again.",
        ) from None


def describe_file(path: Path, relative_to: Path) -> dict[str, Any]:
    """Name, size in bytes and SHA-256 of an artefact, as records hold them."""
    path = Path(path)
    return {
        "path": path.relative_to(relative_to).as_posix(),
        "bytes": path.stat().st_size,
        "sha256": sha256_file(path),
    }


def check_file(description: dict[str, Any], relative_to: Path) -> Path:
    """Return the path of a described artefact after checking its bytes.

    Raises `UserError` when it is missing or its SHA-256 is another.
    """
    path = relative_to / description["path"]
    if not path.is_file():
        raise UserError(
            f"{path} is missing, though a record names it.",
            "Delete the record that names it and run snakemake again.",
        )
    found = sha256_file(path)
    if found != description["sha256"]:
        raise UserError(
            f"{path} has changed since it was recorded:\n"
            f"  recorded sha256 {description['sha256']} ({description['bytes']} bytes)\n"
            f"  found    sha256 {found} ({path.stat().st_size} bytes)",
            "Set the file and its record aside and run snakemake again.",
        )
    return path
