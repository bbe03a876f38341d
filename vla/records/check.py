"""`check.json`: what was found before an experiment ran."""

from vla.records.base import Record, same_fields
from vla.records.part import Part


class Finding(Part):
    """One line of the check."""

    name: str
    """What was looked at."""
    status: str
    """`ok`, `warn` or `fail`."""
    found: str
    way_out: str = ""
    """What to do unless it is ok."""


class CheckRecord(Record):
    """What was found before an experiment ran."""

    KIND = "check"
    VERSION = 2
    UPGRADES = (same_fields,)
    LEVELS = 2

    checks: tuple[Finding, ...]
