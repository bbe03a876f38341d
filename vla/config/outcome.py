"""`experiment.outcome`: what people concluded, and from which results. In no run's key."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from vla.config.base import Fraction, Section
from vla.config.evaluation import Condition

Bound = Annotated[float, Field(gt=0, lt=1)]
ShortHash = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Count = Annotated[str, Field(pattern=r"^\d+/\d+$")]


class RateClaim(Section):
    """A claim on one success rate: give `below` or `above`."""

    condition: Condition
    """Whose episodes: one of `evaluation.conditions`."""
    task: str | None = None
    """A task's name; all tasks when left out."""
    below: Bound | None = None
    """The success rate is below this fraction."""
    above: Bound | None = None
    """The success rate is at or above this fraction."""

    @model_validator(mode="after")
    def _one_bound(self) -> "RateClaim":
        if (self.below is None) == (self.above is None):
            raise ValueError("a claim on a rate needs either `below` or `above`")
        return self


class DifferenceClaim(Section):
    """A claim on two conditions, compared on the episodes they share: give `lower_by` or `higher_by`."""

    condition: Condition
    """Whose success rate: one of `evaluation.conditions`."""
    than: Condition
    """Compared with this one of `evaluation.conditions`."""
    task: str | None = None
    """A task's name; all tasks when left out."""
    lower_by: Bound | None = None
    """The success rate is lower by at least this fraction (0.1 means 10 points)."""
    higher_by: Bound | None = None
    """The success rate is higher by at least this fraction."""

    @model_validator(mode="after")
    def _one_bound(self) -> "DifferenceClaim":
        if (self.lower_by is None) == (self.higher_by is None):
            raise ValueError("a claim with `than` needs either `lower_by` or `higher_by`")
        if self.condition == self.than:
            raise ValueError("`condition` and `than` are the same: name two conditions")
        return self


def _kind(claim: Any) -> str:
    compares = "than" in claim if isinstance(claim, dict) else isinstance(claim, DifferenceClaim)
    return "difference" if compares else "rate"


Claim = Annotated[
    Annotated[RateClaim, Tag("rate")] | Annotated[DifferenceClaim, Tag("difference")],
    Discriminator(_kind),
]


class Finding(Section):
    """One thing that was learnt: a text alone, or with a claim that every new result is held against."""

    text: str = Field(min_length=1)
    """In words."""
    claim: Claim | None = None
    """What must be measured for it to hold: with `than` a difference, without it a rate."""


def _with_text(finding: Any) -> Any:
    return {"text": finding} if isinstance(finding, str) else finding


class DrawnFrom(Section):
    """The results that an outcome was drawn from. `vla note` writes it."""

    verdict: Literal["met", "not met", "undecided"] | None = None
    """On the target; empty without a target."""
    success_rate: Fraction
    """Of the instructed episodes of all training seeds."""
    interval: tuple[Fraction, Fraction]
    """Its 95 % interval (Wilson)."""
    successes: dict[Condition, Count]
    """Condition -> successes/episodes, such as 95/100."""
    policies: dict[str, ShortHash] = Field(min_length=1)
    """Run -> first 12 hex digits of the SHA-256 of its policy."""


class Outcome(Section):
    """What people concluded. Never part of a run's key."""

    status: Literal["open", "confirmed", "refuted", "inconclusive", "dead end"] = "open"
    """The verdict on the hypothesis."""
    findings: tuple[
        Annotated[Finding, BeforeValidator(_with_text, json_schema_input_type=str | Finding)], ...
    ] = ()
    """What was learnt: texts, or texts with a claim."""
    next_steps: tuple[str, ...] = ()
    """What to try next."""
    drawn_from: DrawnFrom | None = None
    """Which results it was drawn from: `vla note` writes it, and `vla note --drawn-from` renews it."""
