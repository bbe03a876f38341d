"""`results/.published/N.json`: what was shown, and where, when a workflow had ended."""

from vla.records.base import Record
from vla.records.part import Part


class View(Part):
    """A copy of what lies under a key."""

    original: str
    """What it is a copy of, from the project's root."""
    bytes: int
    modified_ns: int
    """Time of modification (ns)."""
    sha256: str


class PublicationRecord(Record):
    """What was shown, and where, when a workflow had ended."""

    KIND = "publication"

    views: dict[str, View]
    """By path, from the project's root."""
