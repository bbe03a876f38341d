"""`sweep`: one experiment, many values of its hyperparameters. In no run's key."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, NonNegativeInt, PositiveInt, Tag, model_validator

from vla.config.base import Section


class Range(Section):
    """Values between two ends. Whole numbers stay whole where both ends are; others have four digits."""

    low: int | float
    """Smallest value."""
    high: int | float
    """Largest value."""
    count: Annotated[int, Field(ge=2)] | None = None
    """How many values, both ends among them; with `sample` none is given: each run draws its own."""
    spacing: Literal["linear", "logarithmic"] = "linear"
    """Whether equal steps, or equal factors, lie between values."""

    @model_validator(mode="after")
    def _ends_in_order(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        if self.spacing == "logarithmic" and self.low <= 0:
            raise ValueError(f"a logarithmic range begins above 0, not at {self.low:g}")
        return self


def _kind(values: Any) -> str:
    return "range" if isinstance(values, dict | Range) else "list"


Values = Annotated[
    Annotated[tuple[Any, ...], Field(min_length=1), Tag("list")] | Annotated[Range, Tag("range")],
    Discriminator(_kind),
]


class SampleSection(Section):
    """Random combinations in place of all of them."""

    count: PositiveInt
    """How many combinations; a larger number keeps those of a smaller one."""
    seed: NonNegativeInt = 0
    """Which ones."""


class EarlyStoppingSection(Section):
    """Successive halving: at fixed steps (rungs) all combinations are compared by their validation loss, and only the best go on. A run that goes on to the end has the same key, and the same bits, as without."""

    first_step: PositiveInt
    """Training step of the first rung; each further rung lies `reduction` times later, before the last step."""
    reduction: Annotated[int, Field(ge=2)] = 3
    """At each rung one of so many combinations goes on (rounded down, at least one), with all its seeds."""


class SweepSection(Section):
    """Values of hyperparameters that are tried in every combination, or in random ones, each with every seed of `experiment.seed`. Never part of a run's key: what it sets is."""

    parameters: dict[str, Values] = Field(min_length=1)
    """Dotted path, such as `training.learning_rate` -> list of values, or `{low, high, count, spacing}`."""
    sample: SampleSection | None = None
    """Random combinations, in place of all."""
    validation: str = Field(min_length=1)
    """Dataset (`config/datasets.yaml`) of demonstrations that no run trains on: the combination with the lowest loss on it is chosen."""
    early_stopping: EarlyStoppingSection | None = None
    """End combinations that do worse than others before their last step; by default all are trained to the end."""
    max_runs: PositiveInt = 100
    """More training runs than this are refused."""

    @model_validator(mode="after")
    def _counted_or_drawn(self) -> "SweepSection":
        for path, values in self.parameters.items():
            if isinstance(values, Range) and (values.count is None) != (self.sample is not None):
                raise ValueError(
                    f"parameters.{path}: "
                    + (
                        "`count` has no meaning beside `sample`: take it out"
                        if self.sample
                        else "a range needs `count`, or a `sample` for the whole sweep"
                    )
                )
        return self
