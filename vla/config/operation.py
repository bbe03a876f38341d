"""`tracking`, `checkpoints`, `resources`: how a run is operated."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from vla.config.base import Section


class TrackingSection(Section):
    """What is logged, how often. Never part of a run's key."""

    log_every: PositiveInt = 10
    """Steps between two rows of the metrics file."""
    tensorboard: bool = True
    """Write TensorBoard event files beside the metrics file."""
    mlflow: bool = True
    """Show the run in MLflow: `mlflow ui` in the project's folder."""
    mlflow_uri: str = ""
    """MLflow server; by default SQLite in the project's folder (`mlflow.db`). `MLFLOW_TRACKING_URI` goes first."""
    wandb: Literal["disabled", "auto", "offline", "online"] = "disabled"
    """Weights & Biases; `auto` is online with a key and otherwise offline, for `wandb sync` later."""
    wandb_project: str = "vla"
    """Project in Weights & Biases."""


class CheckpointsSection(Section):
    """What is kept on disk. Never part of a run's key."""

    save_every: PositiveInt = 400
    """Steps between two checkpoints one can resume from."""
    keep_last: PositiveInt = 2
    """How many of the newest checkpoints are kept; a damaged one is replaced by the one before."""
    keep_best: NonNegativeInt = 0
    """How many checkpoints with the lowest training loss are kept as well."""
    keep_every: NonNegativeInt = 0
    """Checkpoints at multiples of so many steps are kept as well; 0 keeps none for that reason."""


class ResourcesSection(Section):
    """What a run uses."""

    accelerator: Literal["cpu", "cuda", "auto"] = "auto"
    """Device; `auto` takes a GPU when there is one where Snakemake starts. Part of the run key."""
    training_threads: PositiveInt = 1
    """CPU threads of one training run. Part of the run key: another number sums in another order."""
    loader_workers: NonNegativeInt = 1
    """Threads that make training batches ahead; any number gives the same bits, 0 makes each when it is due."""
    evaluation_workers: PositiveInt = 1
    """Processes that run episodes side by side, one thread each; any number gives the same outcomes."""
    disk_gb: PositiveFloat = 1.0
    """Free space (GB) that must remain beyond what the run is estimated to write."""
