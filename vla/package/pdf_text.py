"""The text of a PDF, to look for words in it: metadata, what streams hold, and what is set on pages."""

import binascii
import re
import zlib
from collections.abc import Iterator

STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
# A character of a font and the text that it stands for; a range of them.
CHARACTERS = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
RANGES = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
PAIR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
RANGE = re.compile(
    rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[([<>0-9A-Fa-f\s]*)\])"
)
ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
SHOWN = re.compile(rb"<([0-9A-Fa-f\s]+)>|\(((?:\\.|[^()\\])*)\)", re.DOTALL)


def text_of_pdf(content: bytes) -> Iterator[bytes]:
    """Metadata, what streams hold, and the text that is set, read by each of the fonts.

    Fonts number their characters; which text each stands for is in a table of the font (ISO 32000-2,
    9.10.3). Which font sets which text is not followed: each text is read by all of them.
    """
    streams = [inflated(match[1]) or match[1] for match in STREAM.finditer(content)]
    for part in (content, *streams):
        yield part
        yield part.replace(b"\0", b"")  # UTF-16
    tables = [table for part in streams if (table := _characters(part))]
    for part in streams:
        if not _characters(part) and b"BT" in part:
            codes = [_codes(match) for match in SHOWN.finditer(part)]
            yield b"".join(codes)
            for table in tables:
                yield from _read(codes, table)


def _codes(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        digits = re.sub(rb"\s", b"", match[1])
        return binascii.unhexlify(digits + b"0" * (len(digits) % 2))
    return ESCAPED.sub(_escaped, match[2])


def _escaped(match: re.Match[bytes]) -> bytes:
    if match[1][:1].isdigit():
        return bytes([int(match[1], 8) & 0xFF])
    return ESCAPES.get(match[1], match[1])


def _characters(part: bytes) -> dict[int, str]:
    """Number of a character -> text, of a font's table."""
    table = {}
    for block in CHARACTERS.findall(part):
        for code, text in PAIR.findall(block):
            table[int(code, 16)] = _text(text)
    for block in RANGES.findall(part):
        for first, last, text, each in RANGE.findall(block):
            begin, listed = int(first, 16), re.findall(rb"[0-9A-Fa-f]+", each)
            for step in range(min(int(last, 16) - begin + 1, 1 << 16)):
                if text:
                    table[begin + step] = _text(b"%0*x" % (len(text), int(text, 16) + step))
                elif step < len(listed):
                    table[begin + step] = _text(listed[step])
    return table


def _text(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be", "replace")


def _read(strings: list[bytes], table: dict[int, str]) -> Iterator[bytes]:
    """The text of characters that are numbered by one byte, and by two."""
    for width in (1, 2):
        text = "".join(
            table.get(int.from_bytes(string[place : place + width]), "\n")
            for string in strings  # each by itself: between them stand others, such as a language's name
            for place in range(0, len(string), width)
        )
        yield text.encode("utf-8", "replace")


def inflated(content: bytes) -> bytes:
    """What zlib packed; nothing where it is something else."""
    try:
        return zlib.decompressobj().decompress(content)
    except zlib.error:
        return b""
