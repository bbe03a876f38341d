"""`*.manifest.json`: hashes and size of every file of a dataset, kept in git."""

import re
from typing import Annotated

from pydantic import AfterValidator

from vla.records.base import Record, same_fields
from vla.records.part import Part

SAFE_PATH = re.compile(r"(?!.*(^|/)\.\.?(/|$))[\w.@=+-][\w.@=+/-]*", re.ASCII)


def _inside(path: str) -> str:
    if not SAFE_PATH.fullmatch(path):
        raise ValueError(f"the unsafe path {path!r} would leave the dataset's folder")
    return path


class PinnedFile(Part):
    """One file of a dataset."""

    path: Annotated[str, AfterValidator(_inside)]
    """Relative to the dataset's folder, and never out of it."""
    bytes: int
    sha256: str
    md5: str
    """What DVC knows the file by."""


class Manifest(Record):
    """Every file of a dataset."""

    KIND = "manifest"
    VERSION = 3
    UPGRADES = (same_fields,)
    SEALED_SINCE = 3
    WAY_OUT = "Restore it with git checkout, or list the files anew (data/README.md)."

    files: tuple[PinnedFile, ...]
