"""Success rates as records hold them."""

from vla.records.part import Part


class Rate(Part):
    """`successes` of `episodes`, with Wilson's 95 % interval (Wilson 1927)."""

    successes: int
    episodes: int
    """Those that ended by themselves."""
    crashes: int
    """Those that simulator or policy broke off: counted apart."""
    rate: float
    """Fraction."""
    low: float
    high: float


class ChainRates(Part):
    """Of episodes that are chains of subtasks, all training seeds pooled."""

    chains: int
    in_a_row: tuple[Rate, ...]
    """Chains of which the first, the first two, ... subtasks were solved, each with Wilson's interval."""
    average_length: float
    """Mean number of subtasks solved in a row."""
    low: float
    """95 % interval of the average length: bootstrap over chains."""
    high: float


class ConditionRates(Part):
    """Rates of one condition."""

    overall: Rate
    """Of the episodes of all training seeds, pooled."""
    by_task: dict[str, Rate]
    by_seed: dict[str, Rate]
    """By training seed."""
    mean_over_seeds: float
    spread_between_seeds: float | None
    """Standard deviation of the seeds' rates; null for one seed."""
    chains: ChainRates | None = None
    """Of chains: then `overall` is the share of all their subtasks that were solved, its interval by
    chains, and `by_task` counts the subtasks that were reached."""


class Rates(Part):
    """All rates of an experiment, and the verdict on its target."""

    conditions: dict[str, ConditionRates]
    target: float | None
    """Success rate that the experiment is measured against."""
    verdict: str | None
    """`met`, `not met` or `undecided`; null without a target."""
    statement: str
    """The result in words."""


class PairedTask(Part):
    """One task of two experiments on the same episodes."""

    baseline: float
    candidate: float
    pairs: int
    """Initial states that both met."""


class PairedRates(Part):
    """Two experiments on the episodes they share."""

    baseline: Rate
    candidate: Rate
    pairs: int
    """Episodes that each experiment's first training seed ran."""
    both_succeed: int
    only_baseline: int
    only_candidate: int
    both_fail: int
    p_value: float
    """Of McNemar's exact test (McNemar 1947)."""
    difference: float
    """Candidate minus baseline, mean over training seeds, as a fraction."""
    difference_low: float
    """95 % interval: bootstrap over initial states within each task."""
    difference_high: float
    by_task: dict[str, PairedTask]
    statement: str
    """The result in words."""
