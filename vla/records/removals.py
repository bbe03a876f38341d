"""`removed.jsonl`: what was removed to free space."""

from vla.records.ledger import Entry


class RemovalEntry(Entry):
    """Files of one run, or one store, that were removed."""

    time: str
    """ISO 8601, UTC."""
    folder: str
    """From the project's root."""
    files: tuple[str, ...]
    """Names of the files."""
    bytes: int
    """What that freed."""
    why: str
