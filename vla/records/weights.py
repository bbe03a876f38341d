"""`*.weights.json`: which bytes pretrained weights had in this checkout when they were hashed."""

from vla.files.states import FileState
from vla.records.base import Record


class WeightsRecord(Record):
    """Every byte of pretrained weights was the one that config/weights.yaml pins."""

    KIND = "weights verification"

    name: str
    """Entry in config/weights.yaml."""
    source: str
    """Folder, or repository and revision."""
    licence: str
    content: str
    """SHA-256 over names and hashes of all its files: what a run's key holds."""
    files: dict[str, FileState]
    """Path -> [bytes, time of modification (ns), time of change (ns), inode]."""
