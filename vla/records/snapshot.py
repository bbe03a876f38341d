"""`snapshot.json`: which code a snapshot holds."""

from vla.records.base import Record


class SnapshotRecord(Record):
    """Which code jobs run that were submitted with `vla submit`."""

    KIND = "snapshot"
    WAY_OUT = "Remove the snapshot's folder and submit again."

    commit: str
    """Commit that the project was at."""
    dirty: tuple[str, ...]
    """Paths that differed from it; `snapshot.patch`, beside this record, says how."""
    files: dict[str, str]
    """Path -> SHA-256."""
