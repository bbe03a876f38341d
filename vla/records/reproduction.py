"""`reproduction-LEVEL.json`: the claims of a package beside what came out here."""

from typing import Literal

from vla.records.base import Record
from vla.records.part import Number, Part

Verdict = Literal["identical", "reproduced", "compatible", "not reproduced", "not tested"]


class JudgedClaim(Part):
    """A claim beside what came out."""

    name: str
    """As in claims.json."""
    says: str
    published: Number | str
    published_low: float | None
    """Of the 95 % interval; null where the value has none."""
    published_high: float | None
    reproduced: Number | str | None
    """null where it was not tested."""
    reproduced_low: float | None
    reproduced_high: float | None
    tolerance: float
    """As in claims.json."""
    verdict: Verdict
    why: str


class ReproductionRecord(Record):
    """The claims of a package beside what came out here."""

    KIND = "reproduction"

    experiment: str
    """Folder in experiments/."""
    package: str
    """SHA-256 of the package's SHA256SUMS, which names the hash of all else."""
    level: Literal["check", "figures", "evaluate", "retrain"]
    changed: tuple[str, ...]
    """What was set differently on purpose, `KEY=VALUE`."""
    time: str
    """ISO 8601, UTC."""
    claims: tuple[JudgedClaim, ...]
    verdict: Verdict
    """The worst of the claims that were tested."""
    differences: dict[str, tuple[str, ...]]
    """What differs and may explain it: kind, such as `software` -> lines."""
