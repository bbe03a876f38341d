"""`experiment`: who, why, and what counts as success. Only the seed decides bits."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from vla.config.base import Fraction, Section
from vla.config.outcome import Outcome

Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Risk(Section):
    """One risk warning of the experiment's README."""

    level: Literal["critical", "high", "medium", "low"]
    """How bad it would be."""
    risk: str
    """What can go wrong."""
    mitigation: str
    """What is done about it."""


class Targets(Section):
    """What the experiment is measured against."""

    success_rate: Fraction | None = None
    """Success rate over all instructed episodes, as a fraction (0.75 means 75 %)."""


class ExperimentSection(Section):
    """Who, why, and what counts as success."""

    name: str = Field(min_length=1)
    """Short name, as shown in tables and figures."""
    parent: str = ""
    """Folder of the experiment that this one starts from: tables then say what differs from it."""
    seed: Seed | tuple[Seed, ...] = 42
    """Training seed, or a list of them: one training run a seed."""
    title: str = ""
    """Heading of the README; the name when empty."""
    description: str = ""
    """What is done, in one paragraph."""
    hypothesis: str = ""
    """What is expected, and why. `check_experiment` refuses an empty one."""
    goals: tuple[str, ...] = ()
    """Research goals."""
    plan: tuple[str, ...] = ()
    """Steps that test the hypothesis. `check_experiment` refuses an empty plan."""
    risks: tuple[Risk, ...] = ()
    """Risk warnings with their mitigation."""
    targets: Targets = Targets()
    """What the results are measured against."""
    outcome: Outcome = Outcome()
    """What people concluded."""
    licence: str = ""
    """Licence of the trained models (SPDX identifier), for their model cards."""

    @field_validator("seed")
    @classmethod
    def _distinct(cls, seed: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(seed, tuple) and (not seed or len(set(seed)) != len(seed)):
            raise ValueError("a list of seeds needs at least one seed and none twice")
        return seed
