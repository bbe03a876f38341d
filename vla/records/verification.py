"""`*.verified.json`: which bytes a dataset had in this checkout when they were last hashed."""

from vla.files.states import FileState
from vla.records.base import Record, same_fields


class VerificationRecord(Record):
    """Every byte of a dataset was that of its manifest."""

    KIND = "verification"
    VERSION = 2
    UPGRADES = (same_fields,)

    dataset: str
    """Folder of the dataset."""
    content: str
    """SHA-256 over names and hashes of all its files."""
    files: dict[str, FileState]
    """Path -> [bytes, time of modification (ns), time of change (ns), inode]."""


class StoreVerification(Record):
    """Every byte of a prepared store was that of its record, in this checkout."""

    KIND = "store verification"

    prepared: str
    """SHA-256 of the store's `prepared.json`."""
    files: dict[str, FileState]
    """Path -> [bytes, time of modification (ns), time of change (ns), inode]."""
