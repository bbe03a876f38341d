"""`archives.jsonl`: what was packed and where it was pushed."""

from vla.records.ledger import Entry


class ArchiveEntry(Entry):
    """One archive of a finished experiment."""

    time: str
    """ISO 8601, UTC."""
    experiment: str
    """Folder in experiments/."""
    version: str
    """Semantic version of its models."""
    pointer: str
    """DVC's pointer to the archive, from the project's root."""
    bytes: int
    files: int
    """Number of files in it."""
    remote: str | None
    """DVC remote that it was pushed to; null where it was not."""
