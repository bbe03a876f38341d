"""JSON files, and sealed ones: records that show when any byte has changed."""

import json
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from vla.errors import UserError
from vla.files.atomic import write_text
from vla.files.hashing import sha256_bytes

UNSEALED = "0" * 64
SEAL_END = len('"\n}\n')  # what follows the seal's digits


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or torn one is a `UserError`."""
    return parse_json(path, read_bytes(path))


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write JSON whose last field, `seal`, is the SHA-256 of the whole text with that field zero."""
    text = json.dumps({**value, "seal": UNSEALED}, indent=2, allow_nan=False) + "\n"
    write_text(path, text[: -SEAL_END - 64] + sha256_bytes(text.encode()) + text[-SEAL_END:])


def read_sealed(path: Path) -> dict[str, Any]:
    """Read what `write_sealed` wrote; `UserError` when it is missing or any byte has changed."""
    content = read_bytes(path)
    if not has_whole_seal(content):
        raise damaged(path)
    value = parse_json(path, content)
    value.pop("seal")
    return value


def has_whole_seal(content: bytes) -> bool:
    """Whether `content` is what `write_sealed` wrote, every byte of it."""
    digits = content[-SEAL_END - 64 : -SEAL_END]
    unsealed = content[: -SEAL_END - 64] + UNSEALED.encode() + content[-SEAL_END:]
    return digits.decode("ascii", "replace") == sha256_bytes(unsealed)


def damaged(path: Path, way_out: str = "Set it aside and run snakemake again.") -> UserError:
    """What to raise when the seal of a file does not hold."""
    return UserError(
        f"{path} is damaged: its text does not have the SHA-256 that it ends with.", way_out
    )


def read_bytes(path: Path) -> bytes:
    """Content of a file of the workflow's; a missing one is a `UserError`."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing.", "Run snakemake again: it makes what is missing."
        ) from None


def parse_json(path: Path, content: bytes) -> Any:
    """The value that `content`, of the file `path`, holds; `UserError` when it is no JSON."""
    try:
        return from_json(content)
    except ValueError as error:
        raise UserError(
            f"{path} is not valid JSON ({error}).",
            "The file is damaged: set it aside and run snakemake again.",
        ) from None
