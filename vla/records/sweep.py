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


class StoppedCombination(Part):
    """One combination that early stopping ended before its last step."""

    label: str
    values: dict[str, Any]
    """Dotted path -> value."""
    runs: tuple[str, ...]
    """Folders in the experiment's results, one a training seed."""
    step: int
    """Training steps that were taken."""
    validation_loss: Number
    """At that step, mean over the training seeds; NaN for one that diverged."""
    losses: tuple[Number, ...]
    """Of each run."""
    rank: int
    """Place among those that came so far, by rising loss."""
    candidates: int
    """How many came so far."""


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
    """All that were trained to the end, by rising validation loss."""
    runs: tuple[SweptRun, ...]
    """All of these, in the order of the plan."""
    stopped: tuple[StoppedCombination, ...] = ()
    """Those that were stopped early, the last one first."""
    decisions: tuple[File, ...] = ()
    """The records of the choices by which they were (`halving.json`), in the order of steps."""
    table: File
    """`sweep.csv`: one row a run."""
    picture: File
    """`sweep.svg`, for the screen: the effect of each parameter."""
    print: File
    """`sweep.pdf`, for print."""
