"""`run.json`: one training run."""

from typing import Any

from vla.files.described import File
from vla.records.attempts import Attempt, renamed
from vla.records.base import Content, named_files
from vla.records.circumstances import Determinism, JobRecord
from vla.records.events import Event
from vla.records.part import Number, Part

LISTED = {
    "policy": "policy.safetensors",
    "description": "policy.json",
    "metrics": "metrics.csv",
    "configuration": "config.resolved.json",
    "patch": "uncommitted.patch",
}


class RunFiles(Part):
    """What a training run gave."""

    policy: File
    """The trained weights (safetensors)."""
    description: File
    """`policy.json`: what is needed to use the weights."""
    metrics: File
    """`metrics.csv`: loss, speed and use of the machine, every few steps."""
    configuration: File
    """`config.resolved.json`: the complete configuration, defaults included."""
    patch: File | None = None
    """`uncommitted.patch`: brings uncommitted code back on the commit; null without any."""


class Dataset(Part):
    """The dataset of a run, as config/datasets.yaml registers it."""

    name: str
    version: str
    content: str
    """SHA-256 over names and hashes of all its files."""


def _named(content: Content) -> Content:
    """Version 1 listed files, had one dataset, and called an attempt's outcome `how`."""
    content = {name: value for name, value in content.items() if name != "kind"}
    content["datasets"] = [content.pop("dataset")]
    content["files"] = named_files(content, LISTED)
    content["attempts"] = [renamed(attempt) for attempt in content.get("attempts", ())]
    return content


class RunRecord(JobRecord):
    """One training run: one experiment, one seed."""

    KIND = "training"
    VERSION = 2
    UPGRADES = (_named,)
    LEVELS = 2

    seed: int
    datasets: tuple[Dataset, ...]
    """Those that were trained on."""
    device: str
    """PyTorch's name of it, such as `cuda:0`."""
    processes: int = 1
    """That trained it side by side, one a GPU; any number gives the same bits."""
    determinism: Determinism
    parameters: int
    """Number of the policy's parameters, frozen ones included."""
    final_loss: Number
    """Mean training loss over the last `tracking.log_every` steps."""
    training_seconds: float
    """Wall time of all steps, those that were repeated after a resume included."""
    resumed_from_step: int
    """Step of the checkpoint that the last attempt went on from; 0 without one."""
    attempts: tuple[Attempt, ...] = ()
    """All attempts, in order; the last one finished."""
    gpu_hours: float | None = None
    """GPU time of all attempts; 0 on a CPU, null where an old record does not say."""
    events: tuple[Event, ...] = ()
    """Anomalies, in order."""
    files: RunFiles

    @property
    def stores(self) -> tuple[dict[str, Any], ...]:
        return stores_of(self.identity)


def stores_of(identity: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """What the identity of a run says of each prepared store, with its `share` of the samples."""
    data = identity["data"]
    # Keys of version 1 had one store; an identity is kept as it was hashed.
    return tuple(data["stores"]) if "stores" in data else ({**data["store"], "share": 1.0},)
