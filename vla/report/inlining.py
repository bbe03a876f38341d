"""Pictures as part of a page, so that it is one file to open without a network."""

import base64
from pathlib import Path

MEDIA = {".svg": "image/svg+xml", ".gif": "image/gif", ".jpg": "image/jpeg"}


def inline(path: Path) -> str:
    """A data URI of a picture."""
    return inline_bytes(path.read_bytes(), path.suffix)


def inline_bytes(content: bytes, suffix: str) -> str:
    """A data URI of what a file with that suffix would hold."""
    return f"data:{MEDIA[suffix]};base64,{base64.b64encode(content).decode()}"
