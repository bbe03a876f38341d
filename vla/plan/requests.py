"""What jobs ask for: cores, GPUs, memory, time. Never part of a key."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from vla.config.imported import ImportedModel
from vla.plan.items import Experiment
from vla.plan.stages import TRAININGS


@dataclass(frozen=True)
class Request:
    """Of one job. `minutes`: after which a cluster ends it; the other numbers are of each of its `nodes`,
    `memory` in MB."""

    cores: int
    gpus: int
    memory: int
    minutes: int
    nodes: int = 1

    def after(self, attempt: int) -> "Request":
        """The `attempt`-th time (from 1): what failed may have lacked memory or time."""
        return replace(self, memory=self.memory * attempt, minutes=self.minutes * attempt)


def check_request(experiment: Experiment) -> Request:
    return Request(cores=1, gpus=_gpus(experiment), memory=1000, minutes=15)


def training_request(experiment: Experiment) -> Request:
    asked = experiment.config.resources
    return Request(
        # A GPU's job waits for its kernels while others load; on a CPU, loading is little beside training.
        cores=asked.training_processes * max(asked.training_threads, asked.loader_workers),
        gpus=asked.training_processes * _gpus(experiment),
        memory=_megabytes(asked.training_memory_gb),
        minutes=_minutes(asked.training_hours),
    )


def sharded_request(experiment: Experiment) -> Request:
    """As training's, its processes shared out among nodes."""
    whole, nodes = training_request(experiment), experiment.config.resources.nodes
    return replace(whole, cores=whole.cores // nodes, gpus=whole.gpus // nodes, nodes=nodes)


def validation_request(experiment: Experiment) -> Request:
    """As for one training process, and much shorter."""
    asked = experiment.config.resources
    return Request(
        cores=asked.training_threads,
        gpus=_gpus(experiment),
        memory=_megabytes(asked.training_memory_gb),
        minutes=60,
    )


def evaluation_request(experiment: Experiment) -> Request:
    asked = experiment.config.resources
    return Request(
        cores=asked.evaluation_workers,
        gpus=_gpus(experiment),
        memory=_megabytes(asked.evaluation_memory_gb),
        minutes=_minutes(asked.evaluation_hours),
    )


def film_request(experiment: Experiment) -> Request:
    return replace(evaluation_request(experiment), cores=1)


def import_request(experiment: Experiment) -> Request:
    """One policy read, and one look at the simulator; no GPU decides what is imported."""
    memory = _megabytes(experiment.config.resources.evaluation_memory_gb)
    return Request(cores=1, gpus=0, memory=memory, minutes=30)


def document_request(_: Experiment) -> Request:
    return Request(cores=1, gpus=0, memory=1000, minutes=15)


# Rules whose jobs belong to one experiment.
REQUESTS: dict[str, Callable[[Experiment], Request]] = {
    "check_experiment": check_request,
    "train": training_request,
    "train_sharded": sharded_request,
    "import_policy": import_request,
    "train_to_rung": training_request,
    "halve": document_request,
    "validate": validation_request,
    "evaluate": evaluation_request,
    "film": film_request,
    "sweep": document_request,
    "summarise": document_request,
    "plot": document_request,
    "release_models": document_request,
    "render_readme": document_request,
}


def training_rule(experiment: Experiment) -> str:
    """The rule that makes the policies of an experiment."""
    if isinstance(experiment.config.model, ImportedModel):
        return "import_policy"
    return TRAININGS[experiment.config.training.sharding][0].rule


def requests_of(experiment: Experiment) -> dict[str, Request]:
    """Of each rule that has jobs of this experiment: its policy is trained or imported; sweeps choose."""
    none = {"train", "train_sharded", "import_policy"} - {training_rule(experiment)}
    if "sweep" not in experiment.documents:
        none |= {"validate", "sweep"}
    if not (experiment.config.sweep and experiment.config.sweep.early_stopping):
        none |= {"train_to_rung", "halve"}
    return {rule: request(experiment) for rule, request in REQUESTS.items() if rule not in none}


def _gpus(experiment: Experiment) -> int:
    return int(experiment.accelerator == "cuda")


def _megabytes(gigabytes: float) -> int:
    return round(gigabytes * 1000)


def _minutes(hours: float) -> int:
    return max(1, round(hours * 60))
