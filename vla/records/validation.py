"""`validation.json`: the loss of a trained policy on demonstrations that it was not trained on."""

from vla.files.described import File
from vla.records.circumstances import Determinism, JobRecord
from vla.records.part import Number, Part


class ValidationFiles(Part):
    """What stands beside the record."""

    patch: File | None = None
    """`uncommitted.patch`: brings uncommitted code back on the commit; null without any."""


class ValidationRecord(JobRecord):
    """The mean training loss of one policy on demonstrations that it was not trained on."""

    KIND = "validation"
    LEVELS = 3

    run: str
    """Key of the run whose policy it is."""
    policy_sha256: str
    """SHA-256 of its weights."""
    dataset: str
    """Where the demonstrations are from, in config/datasets.yaml."""
    content: str
    """SHA-256 of all that can be seen of them (the prepared store's content)."""
    device: str
    """PyTorch's name of it, such as `cuda:0`."""
    determinism: Determinism
    loss: Number
    """Mean over the samples."""
    samples: int
    """Number of control steps that it is the mean of."""
    files: ValidationFiles = ValidationFiles()
