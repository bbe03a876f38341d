"""Pictures as part of a page, so that it is one file to open without a network."""

import base64
from pathlib import Path

from vla.report.rollouts import strip

MEDIA = {".svg": "image/svg+xml", ".gif": "image/gif"}


def inline(path: Path) -> str:
    """A data URI of a picture."""
    return _uri(MEDIA[path.suffix], path.read_bytes())


def inline_strip(film: Path) -> str:
    """A data URI of a film's strip of pictures."""
    return _uri("image/jpeg", strip(film))


def _uri(media: str, content: bytes) -> str:
    return f"data:{media};base64,{base64.b64encode(content).decode()}"
