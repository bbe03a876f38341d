"""Artefacts as records name them: path, size and SHA-256."""

from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files.hashing import sha256_file


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
