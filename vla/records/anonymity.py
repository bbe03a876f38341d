"""`anonymous.json`: what was taken out of a package that is to tell nobody who made it."""

from vla.records.base import Record
from vla.records.part import Part


class Replaced(Part):
    """One kind of what tells who made the results. Values are not named."""

    kind: str
    """Such as `host name`."""
    values: int
    """How many different ones were looked for."""
    stand_in: str
    """What stands in their place; a number follows it where there are several."""
    files: int
    """Files in which at least one was replaced."""


class AnonymityRecord(Record):
    """What a package for double-blind review says in place of what its records said."""

    KIND = "anonymity"
    WAY_OUT = "Ask for the package again: this one is not as it was made."

    replaced: tuple[Replaced, ...]
    rewritten: tuple[str, ...]
    """Files in which something was replaced, or the hash of a file in which it was."""
    resealed: tuple[str, ...]
    """Those of them that are sealed records: their seals are of this package, not of the job that wrote them."""
    left_out: tuple[str, ...]
    """Kinds of files that another package of the same results has, and this one has not."""
    searched: int
    """Files in which no value was found afterwards, what they hold compressed included."""
