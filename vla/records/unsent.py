"""`unsent.json`: what a run has to tell its trackers, until they hold all of it."""

from typing import Any

from vla.records.base import Record


class UnsentRecord(Record):
    """What a run has to tell its trackers besides its metrics, until they hold all of it.

    Lies in the folder of the run's logs, also while the run goes on; `vla sync` sends it, and removes it.
    """

    KIND = "unsent"
    LEVELS = 2
    WAY_OUT = "Remove it, if its trackers need not catch up."

    trackers: tuple[str, ...]
    """Those that may lack something: `mlflow`, `tensorboard`, `wandb`."""
    experiment: str
    """Folder in `experiments/`."""
    name: str
    """The run's folder."""
    key: str
    description: str
    """The hypothesis, or what the experiment is about."""
    parameters: dict[str, Any]
    """Every hyperparameter by dotted name."""
    tags: dict[str, str]
    """Key, seed, dataset, commit."""
    settings: dict[str, Any]
    """`tracking` of the configuration; `mlflow_uri` is the server that was used, without credentials."""
    status: str
    """`FINISHED`, `FAILED`, or `KILLED`; also `KILLED` while the run goes on."""
    facts: dict[str, Any]
    """Artefacts by reference, and final numbers."""
