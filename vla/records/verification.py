"""`*.verified.json`: which bytes a dataset had in this checkout when they were last hashed."""

from typing import NamedTuple

from vla.records.base import Record, same_fields


class FileState(NamedTuple):
    """What the file system says of a file: unchanged as long as nothing touched it."""

    bytes: int
    modified_ns: int
    changed_ns: int
    inode: int


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
