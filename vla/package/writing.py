"""A ZIP archive that is the same bytes for the same files, on every machine.

Nothing is compressed: other releases of zlib compress to other bytes, and what matters in a package
(weights, pictures, tables) hardly shrinks.
"""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from vla.errors import UserError
from vla.files.atomic import write_atomic
from vla.package.checking import SUMS
from vla.records.base import Record

TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows
UNIX = 3
BLOCK = 1 << 20  # bytes that are in memory at a time


@dataclass(frozen=True)
class PackedFile:
    """A file of a package. `content`: its bytes, or a file that has them and is read in blocks."""

    content: bytes | Path
    executable: bool = False

    def blocks(self) -> Iterator[bytes]:
        """All bytes in their order, some at a time."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with open(self.content, "rb") as stream:
            while block := stream.read(BLOCK):
                yield block

    def lines(self) -> Iterator[bytes]:
        """All bytes in their order, whole lines, about a block of them at a time."""
        with (
            io.BytesIO(self.content)
            if isinstance(self.content, bytes)
            else open(self.content, "rb") as stream
        ):
            while lines := stream.readlines(BLOCK):
                yield b"".join(lines)

    @cached_property
    def is_text(self) -> bool:
        """Whether it begins as a text in UTF-8."""
        beginning = next(self.blocks(), b"")
        try:
            beginning.decode()
        except UnicodeDecodeError as error:
            # A letter may be cut at the end of what was read.
            return error.reason == "unexpected end of data" and b"\0" not in beginning
        return b"\0" not in beginning

    @cached_property
    def size(self) -> int:
        """In bytes."""
        if isinstance(self.content, bytes):
            return len(self.content)
        return self.content.stat().st_size

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()


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
    lines = [f"{file.sha256}  {name}\n" for name, file in ordered.items()]
    return ordered | {SUMS: PackedFile("".join(lines).encode())}


def write_archive(files: Files, path: Path) -> None:
    write_atomic(path, lambda temporary: _write(files, temporary))


def _write(files: Files, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, file in files.items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.create_system = UNIX
            entry.external_attr = (0o100755 if file.executable else 0o100644) << 16
            entry.file_size = file.size  # so that the header has room for one of 4 GB and more
            with archive.open(entry, "w") as stream:
                _copy(file, stream, name)


def _copy(file: PackedFile, stream: IO[bytes], name: str) -> None:
    """`UserError` when the bytes are not those that were hashed before."""
    digest = hashlib.sha256()
    for block in file.blocks():
        digest.update(block)
        stream.write(block)
    if digest.hexdigest() != file.sha256:
        raise UserError(
            f"{name} changed while it was packed.", "Let it be written, and pack again."
        )
