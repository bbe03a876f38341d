"""`crashes.json`: the texts of errors that broke episodes off."""

from vla.records.base import Record
from vla.records.part import Part


class Crash(Part):
    """One episode that simulator or policy broke off."""

    task: str
    episode: int
    """Number of the episode within its task."""
    seed: int
    error: str
    """What was raised, with the lines of code."""


class CrashesRecord(Record):
    """Episodes of an evaluation that crashed. Texts of errors name lines of code, which are no result."""

    KIND = "crashes"

    crashes: tuple[Crash, ...]
