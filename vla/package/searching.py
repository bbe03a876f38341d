"""Look for what tells who made a package in every file of it, and in what files hold compressed."""

import base64
import binascii
import gzip
import io
import re
import zipfile
from collections.abc import Iterator

import pyarrow.parquet as pq

from vla.errors import UserError
from vla.package.identities import Identity
from vla.package.pdf_text import inflated, text_of_pdf
from vla.package.secrets import LONGEST, windows
from vla.package.standing_in import StandIns
from vla.package.writing import Files, PackedFile

DATA_ADDRESS = re.compile(rb"data:[\w/+.;=-]*?;base64,([A-Za-z0-9+/=]+)")
PNG, PDF, PARQUET, GZIP, ZIP = b"\x89PNG\r\n\x1a\n", b"%PDF-", b"PAR1", b"\x1f\x8b", b"PK\x03\x04"
LARGEST = 200_000_000  # bytes of a file that is opened rather than read as numbers
DEEPEST = 4  # archives in archives


def require_anonymous(files: Files, stand_ins: StandIns) -> int:
    """Number of files searched; `UserError` that names those in which something was found."""
    problems = []
    for name, file in files.items():
        found = stand_ins.find(name.encode()) | search(file, stand_ins)
        problems += [f"{name}: the {i.kind} {i.value!r}" for i in sorted(found, key=str)]
    if problems:
        raise UserError(
            "\n  ".join(["The package would tell who made it:", *problems]),
            "Take it out and run again what wrote it, or leave the file out; --keep a word that tells "
            "nobody anything.",
        )
    return len(files)


def search(file: PackedFile, stand_ins: StandIns) -> set[Identity]:
    """What a file holds: in text wherever it stands, in numbers only what is long enough."""
    found: set[Identity] = set()
    if file.is_text:
        for lines in file.lines():
            found |= stand_ins.find(lines)
            for match in DATA_ADDRESS.finditer(lines):
                found |= _search_bytes(_decoded(match[1]), stand_ins, 1)
        return found
    for window in windows(file.blocks()):
        found |= stand_ins.find_in_numbers(window)
    if file.size <= LARGEST:
        for text in texts(b"".join(file.blocks()), 0):
            found |= stand_ins.find(text)
    else:
        found |= stand_ins.find(next(file.blocks())[:LONGEST])
    return found


def _search_bytes(content: bytes, stand_ins: StandIns, depth: int) -> set[Identity]:
    found = stand_ins.find_in_numbers(content)
    for text in texts(content, depth):
        found |= stand_ins.find(text)
    return found


def texts(content: bytes, depth: int) -> Iterator[bytes]:
    """All text in a file, what it holds compressed included."""
    if depth > DEEPEST:
        return
    if content.startswith(PNG):
        yield from _of_png(content)
    elif content.startswith(PDF):
        yield from text_of_pdf(content)
    elif content.startswith(PARQUET):
        yield from _of_parquet(content, depth)
    elif content.startswith(GZIP):
        yield from texts(gzip.decompress(content), depth + 1)
    elif content.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from texts(archive.read(name), depth + 1)
    elif content[8:9] == b"{":  # safetensors: length, description, numbers
        yield content[8 : 8 + int.from_bytes(content[:8], "little")]
    elif b"\0" not in content[:LONGEST]:
        yield content


def _of_png(content: bytes) -> Iterator[bytes]:
    """Text chunks (PNG, third edition, 11.3.3): keyword, then text, which may be compressed."""
    place = len(PNG)
    while place + 8 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        chunk = content[place + 8 : place + 8 + length]
        if kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf"):
            yield chunk
            yield from (
                inflated for start in (b"\0\0", b"\0\1\0") if (inflated := _after(chunk, start))
            )
        place += length + 12


def _after(chunk: bytes, start: bytes) -> bytes:
    """What is compressed in a chunk: in zTXt behind two zero bytes, in iTXt behind the languages."""
    begin = chunk.find(b"\x78", chunk.find(start) + len(start))
    return inflated(chunk[begin:]) if begin >= 0 else b""


def _of_parquet(content: bytes, depth: int) -> Iterator[bytes]:
    """Metadata and every column of text; numbers hold none."""
    file = pq.ParquetFile(io.BytesIO(content))
    for name, value in (file.schema_arrow.metadata or {}).items():
        yield name + b" " + value
    for group in range(file.num_row_groups):
        for column in file.read_row_group(group).itercolumns():
            kind = str(column.type)
            if "string" in kind:
                yield "\n".join(map(str, column.to_pylist())).encode()
            elif "binary" in kind:  # such as pictures
                for value in column.to_pylist():
                    yield from texts(value or b"", depth + 1)


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""
