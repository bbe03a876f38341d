"""`halving.json`: which combinations of a sweep go on past a step, and which are stopped there."""

from vla.files.described import File
from vla.records.base import Record
from vla.records.part import Number, Part


class Candidate(Part):
    """One combination that came so far."""

    label: str
    runs: tuple[str, ...]
    """Folders in the experiment's results, one a training seed."""
    losses: tuple[Number, ...]
    """Validation loss of each run at the step; NaN for one that diverged before it."""
    loss: Number
    """Their mean, by which combinations are compared."""
    rank: int
    """Place by rising mean loss, from 1; of equal ones the first of the plan comes first."""
    goes_on: bool
    """Whether it is trained further."""


class HalvingRecord(Record):
    """Successive halving at one step: the candidates by rank, and which of them go on."""

    KIND = "halving"
    LEVELS = 2

    experiment: str
    """Folder in experiments/."""
    step: int
    """Training steps that every candidate had taken."""
    last_step: int
    """Training steps of a run that is trained to the end; of several lengths the longest."""
    keep: int
    """How many combinations go on, at most: those that diverged never do."""
    validation: str
    """Dataset of the validation demonstrations."""
    candidates: tuple[Candidate, ...]
    """All that came so far, the best first."""
    measured: tuple[File, ...]
    """The records of their losses (`rung.json`)."""

    @property
    def going_on(self) -> frozenset[str]:
        """Labels of those that go on."""
        return frozenset(one.label for one in self.candidates if one.goes_on)
