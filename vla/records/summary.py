"""`summary.json`: one experiment's evaluations as numbers."""

from vla.records.base import Record, same_fields
from vla.records.rates import Rates


class SummaryRecord(Rates, Record):
    """Rates of all episodes of an experiment, by condition, task and training seed."""

    KIND = "summary"
    VERSION = 2
    UPGRADES = (same_fields,)
    LEVELS = 2

    experiment: str
    """Folder in experiments/."""
    evaluation_gap: tuple[str, ...] = ()
    """A line for each training seed that learnt, by its loss, and yet fails nearly every episode."""
