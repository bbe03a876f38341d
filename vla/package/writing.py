"""A ZIP archive that is the same bytes for the same files, on every machine.

Nothing is compressed: other releases of zlib compress to other bytes, and what matters in a package
(weights, pictures, tables) hardly shrinks.
"""

import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vla.files.atomic import write_atomic
from vla.files.hashing import sha256_bytes
from vla.package.checking import SUMS
from vla.records.base import Record

TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows
UNIX = 3


@dataclass(frozen=True)
class PackedFile:
    """A file of a package."""

    content: bytes
    executable: bool = False


Files = Mapping[str, PackedFile]
"""By path in the package."""


def packed_record(record: Record) -> PackedFile:
    """A record as its file holds it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        record.write(path)
        return PackedFile(path.read_bytes())


def packed_text(text: str) -> PackedFile:
    return PackedFile(text.encode())


def with_sums(files: Files) -> dict[str, PackedFile]:
    """The files in the order of their names, and SHA256SUMS, which lists them."""
    ordered = {name: files[name] for name in sorted(files)}
    lines = [f"{sha256_bytes(file.content)}  {name}\n" for name, file in ordered.items()]
    return ordered | {SUMS: PackedFile("".join(lines).encode())}


def write_archive(files: Files, path: Path) -> None:
    write_atomic(path, lambda temporary: _write(files, temporary))


def _write(files: Files, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, file in files.items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.create_system = UNIX
            entry.external_attr = (0o100755 if file.executable else 0o100644) << 16
            archive.writestr(entry, file.content)
