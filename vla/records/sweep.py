"""`sweep.json`: every run of a sweep, and the combination that was chosen."""

from typing import Any

from vla.files.described import File
from vla.records.base import Record
from vla.records.part import Number, Part
from vla.records.rates import Rate


class SweptRun(Part):
    """One training run of a sweep."""

    run: str
    """Folder in the experiment's results."""
    combination: str
    """Label of the combination that it belongs to."""
    seed: int
    validation_loss: Number
    """Mean loss on the validation demonstrations."""
    training_loss: Number
    """Its record's final loss."""
    rates: dict[str, Rate]
    """Condition -> rate of the test episodes."""


class SweptCombination(Part):
    """One combination, over its training seeds."""

    label: str
    values: dict[str, Any]
    """Dotted path -> value."""
    runs: tuple[str, ...]
    """Folders in the experiment's results, one a training seed."""
    validation_loss: Number
    """Mean over the training seeds."""
    validation_spread: Number | None
    """Standard deviation of the seeds' losses; null for one seed."""
    rate: Rate
    """Instructed test episodes of all seeds, pooled. Of no part in the choice."""


class SweepRecord(Record):
    """Every run of a sweep, and the combination that was chosen, by its validation loss alone."""

    KIND = "sweep"
    LEVELS = 2

    experiment: str
    """Folder in experiments/."""
    parameters: tuple[str, ...]
    """Dotted paths of what differs between combinations."""
    chosen: SweptCombination
    """The lowest validation loss, mean over training seeds; of equal ones the first."""
    chosen_by: str
    """In words: by what, and from how many."""
    validation: str
    """Dataset of the validation demonstrations."""
    validation_content: str
    """SHA-256 over names and hashes of all its files."""
    combinations: tuple[SweptCombination, ...]
    """All, by rising validation loss."""
    runs: tuple[SweptRun, ...]
    """All, in the order of the plan."""
    table: File
    """`sweep.csv`: one row a run."""
    picture: File
    """`sweep.svg`, for the screen: the effect of each parameter."""
    print: File
    """`sweep.pdf`, for print."""
