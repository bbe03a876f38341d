"""`tracking`, `checkpoints`, `resources`: how a run is operated."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, model_validator

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
    """MLflow server; by default SQLite in the project's folder (`mlflow.db`). `MLFLOW_TRACKING_URI` goes first. No credentials: these go into `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`."""
    wandb: Literal["disabled", "auto", "offline", "online"] = "disabled"
    """Weights & Biases; `auto` is online with a key and otherwise offline, for `wandb sync` later."""
    wandb_project: str = "vla"
    """Project in Weights & Biases."""

    @model_validator(mode="after")  # of the section: a field's error would show the value
    def _address_holds_no_secret(self) -> "TrackingSection":
        address = self.mlflow_uri
        is_remote = "://" in address and not address.startswith(("sqlite:", "file:"))
        if is_remote and ("@" in address or "?" in address):
            raise ValueError(
                "mlflow_uri holds a user, a password or a query, which records and trackers would "
                "show: leave only scheme://host:port/path, and set MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD in the environment (for a database, all of "
                "MLFLOW_TRACKING_URI)"
            )
        return self


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
    training_processes: PositiveInt = 1
    """Processes that train one run side by side, one a GPU (on a CPU, `training_threads` each): a power of two, at most `training.micro_batches`. Any number gives the same bits."""
    nodes: PositiveInt = 1
    """Nodes of a SLURM cluster that share the processes equally, with `training.sharding`. Any number gives the same bits."""
    loader_workers: NonNegativeInt = 1
    """Threads that make training batches ahead; any number gives the same bits, 0 makes each when it is due."""
    evaluation_workers: PositiveInt = 1
    """Processes that run episodes side by side, one thread each; any number gives the same outcomes."""
    training_memory_gb: PositiveFloat = 4.0
    """Memory (GB) that a training job asks a cluster for, on each of its nodes; twice and three times as much when it failed."""
    training_hours: PositiveFloat = 24.0
    """Time limit (hours) of a training job on a cluster. A longer training saves its state before, and goes on in the next job."""
    evaluation_memory_gb: PositiveFloat = 4.0
    """Memory (GB) that an evaluation asks a cluster for; twice and three times as much when it failed."""
    evaluation_hours: PositiveFloat = 12.0
    """Time limit (hours) of an evaluation on a cluster. A longer one goes on in the next job."""
    disk_gb: PositiveFloat = 1.0
    """Free space (GB) that must remain beyond what the run is estimated to write."""

    @model_validator(mode="after")
    def _processes_pair(self) -> "ResourcesSection":
        if self.training_processes & (self.training_processes - 1):
            raise ValueError(
                f"training_processes ({self.training_processes}) must be a power of two"
            )
        if self.training_processes % self.nodes:
            raise ValueError(
                f"nodes ({self.nodes}) must divide training_processes ({self.training_processes}), "
                "which counts those of all nodes"
            )
        return self
