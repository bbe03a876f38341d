"""`step_00000400.json`: a checkpoint that a run can be resumed from."""

from vla.files.described import File
from vla.records.base import Record, same_fields
from vla.records.part import Number


class CheckpointRecord(Record):
    """A checkpoint. It belongs to one run."""

    KIND = "checkpoint"
    VERSION = 2
    UPGRADES = (same_fields,)

    key: str
    """Of the run."""
    step: int
    """Steps that were done."""
    loss: Number | None
    """What `keep_best` compares; null before the first step."""
    weights: File
    """Weights and the optimiser's state, relative to the record's own folder."""
