"""`claims.json`: what a package claims, and how each claim is tested."""

from typing import Literal

from vla.config.outcome import Finding
from vla.records.base import Record
from vla.records.part import Number, Part

Level = Literal["figures", "evaluate", "retrain"]


class Claim(Part):
    """One claim: a value that was published, and the command that tests it."""

    name: str
    """Unique in the package, such as `success_rate/instructed`."""
    kind: Literal["success rate", "verdict", "finding", "figure", "final loss", "policy"]
    says: str
    """In words."""
    value: Number | str
    """A fraction, a loss, a SHA-256, or a word."""
    low: float | None = None
    """Of the 95 % interval; null where a value has none."""
    high: float | None = None
    tolerance: float
    """How far from it a value that reproduces it may lie: for a success rate as a fraction, for a
    loss as a part of the larger; 0 means the same."""
    levels: tuple[Level, ...]
    """Levels of `reproduce.py` that test it, cheapest first."""
    command: str
    """The cheapest that does more than read what is shipped."""
    seconds: float | None
    """Time that the published run took for it, by the records; null where none says."""
    hardware: str
    """What it took that on."""
    source: str
    """File of the package that the value was computed from."""
    condition: str | None = None
    """Of the episodes; null where it is of none."""
    task: str | None = None
    """null for all tasks."""
    seed: int | None = None
    """Training seed; null for all."""
    finding: Finding | None = None
    """Of a finding: what was claimed of the episodes."""


class ClaimsRecord(Record):
    """What a package claims, computed from its records."""

    KIND = "claims"
    WAY_OUT = "Ask for the package again: this one is not as it was made."

    experiment: str
    """Folder in experiments/."""
    target: float | None
    """Success rate that the experiment is measured against."""
    claims: tuple[Claim, ...]
