"""`*.verified.json`: which bytes a dataset had in this checkout when they were last hashed."""

from vla.files.states import FileState
from vla.records.base import Content, Record, same_fields


def _of_no_pointer(content: Content) -> Content:
    """Up to version 2 bytes were compared with the manifest alone: no pointer's were verified."""
    return content | {"pointer": ""}


class VerificationRecord(Record):
    """Every byte of a dataset was that of its manifest and of DVC's pointer."""

    KIND = "verification"
    VERSION = 3
    UPGRADES = (same_fields, _of_no_pointer)

    dataset: str
    """Folder of the dataset."""
    content: str
    """SHA-256 over names and hashes of all its files."""
    pointer: str
    """DVC's hash of the dataset, as its pointer had it."""
    files: dict[str, FileState]
    """Path -> [bytes, time of modification (ns), time of change (ns), inode]."""


class StoreVerification(Record):
    """Every byte of a prepared store was that of its record, in this checkout."""

    KIND = "store verification"

    prepared: str
    """SHA-256 of the store's `prepared.json`."""
    files: dict[str, FileState]
    """Path -> [bytes, time of modification (ns), time of change (ns), inode]."""
