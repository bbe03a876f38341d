"""`rung.json`: the loss of a run of a sweep at a step at which it may be stopped early."""

from vla.files.described import File
from vla.records.circumstances import Determinism, JobRecord
from vla.records.part import Number, Part

EARLY = "early stopping"  # begins the reason of an attempt that came as far as a rung


class RungFiles(Part):
    """What stands beside the record."""

    patch: File | None = None
    """`uncommitted.patch`: brings uncommitted code back on the commit; null without any."""


class RungRecord(JobRecord):
    """The mean loss, on demonstrations that it was not trained on, of a run that was trained for some of its steps."""

    KIND = "rung"
    LEVELS = 3

    run: str
    """Key of the run."""
    step: int
    """Number of training steps that it had taken."""
    policy_sha256: str | None
    """SHA-256 of its policy's weights at that step, as safetensors; null for a run that diverged."""
    dataset: str
    """Where the demonstrations are from, in config/datasets.yaml."""
    content: str
    """SHA-256 of all that can be seen of them (the prepared store's content)."""
    device: str
    """PyTorch's name of it, such as `cuda:0`."""
    determinism: Determinism
    loss: Number
    """Mean over the samples; NaN for a run that diverged."""
    samples: int
    """Number of control steps that it is the mean of."""
    diverged: str
    """In words, how training went wrong before that step; empty where it did not."""
    files: RungFiles = RungFiles()
