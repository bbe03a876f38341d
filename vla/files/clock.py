"""The time, as records write it."""

from datetime import UTC, datetime


def now() -> str:
    """The present moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
