"""Artefacts as records name them: path, size and SHA-256."""

from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError
from vla.files.hashing import sha256_file


@dataclass(frozen=True)
class File:
    """A file that is named with its bytes. `path` is relative to a folder that its record knows."""

    path: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return Path(self.path).name


def describe_file(path: Path, relative_to: Path) -> File:
    """Name, size in bytes and SHA-256 of an artefact, as records hold them."""
    path = Path(path)
    return File(path.relative_to(relative_to).as_posix(), path.stat().st_size, sha256_file(path))


def check_file(file: File, relative_to: Path) -> Path:
    """Return the path of a described artefact after checking its bytes.

    Raises `UserError` when it is missing or its SHA-256 is another.
    """
    path = relative_to / file.path
    if not path.is_file():
        raise UserError(
            f"{path} is missing, though a record names it.",
            "Delete the record that names it and run snakemake again.",
        )
    found = sha256_file(path)
    if found != file.sha256:
        raise UserError(
            f"{path} has changed since it was recorded:\n"
            f"  recorded sha256 {file.sha256} ({file.bytes} bytes)\n"
            f"  found    sha256 {found} ({path.stat().st_size} bytes)",
            "Set the file and its record aside and run snakemake again.",
        )
    return path
