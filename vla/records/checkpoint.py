"""`step_00000400.json`: a checkpoint that a run can be resumed from."""

from vla.files.described import File
from vla.records.base import Content, Record, same_fields
from vla.records.part import Number


def _one_file(content: Content) -> Content:
    """Versions 1 and 2 knew no shards."""
    return content | {"shards": []}


class CheckpointRecord(Record):
    """A checkpoint. It belongs to one run."""

    KIND = "checkpoint"
    VERSION = 3
    UPGRADES = (same_fields, _one_file)

    key: str
    """Of the run."""
    step: int
    """Steps that were done."""
    loss: Number | None
    """What `keep_best` compares; null before the first step."""
    weights: File | None
    """Weights and the optimiser's state, relative to the record's own folder; null where ranks held shards of them."""
    shards: tuple[File, ...] = ()
    """What each rank held of them, with `training.sharding`; relative to the same folder."""
