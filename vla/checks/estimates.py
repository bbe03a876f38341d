"""What an experiment will need: parameters, disk, time."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch.overrides import TorchFunctionMode

from vla.checks.dataset import fetched_bytes, missing_files, stated_shape
from vla.config.complete import ExperimentConfig
from vla.config.imported import ImportedModel
from vla.data.formats.protocol import Shape
from vla.data.manifest import read_manifest
from vla.data.places import dataset_folder, manifest_file, store_record, stores_folder
from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.files.described import File
from vla.plan.items import Experiment, Store
from vla.plan.sweeps import Sweep, parts_going_on
from vla.policies.building import build_policy, count_parameters
from vla.process.accelerator import visible_gpus
from vla.records.run import RunRecord

CHECKPOINT_BYTES = 12  # a parameter: weight and AdamW's two moments, fp32
TRAINING_BYTES = 16  # the same and the gradient
SHARDED_BYTES = 20  # all that, and the sum of gradients
SUM_BYTES = 4  # one more sum
POLICY_BYTES = 4
VIDEO_BYTES = 400_000  # one filmed episode
USUAL_WORDS = 100  # of a vocabulary that is not known before the data is read
USUAL_TASKS = 4
DRAWN_IN_PLACE = (
    *(torch.nn.init.normal_, torch.nn.init.uniform_, torch.nn.init.kaiming_uniform_),
    *(torch.Tensor.normal_, torch.Tensor.uniform_),
)


@dataclass(frozen=True)
class Need:
    """`count` bytes that will be written to `folder`; None where nothing tells how many."""

    what: str
    count: float | None
    folder: Path


def disk_needs(experiment: Experiment, parameters: int | None) -> list[Need]:
    """What is still to be written; `parameters` of the policy, None while nothing tells."""
    config = experiment.config
    keep = config.checkpoints
    kept = 1 + keep.keep_last + keep.keep_best  # one more while it is written
    if keep.keep_every:
        kept += config.training.num_steps // keep.keep_every
    videos = len(config.evaluation.tasks or ()) or USUAL_TASKS
    videos *= config.evaluation.videos_per_task
    videos *= sum(not record.is_file() for record in experiment.film_records())
    runs = [run for part in parts_going_on(experiment) for run in part.runs]
    untrained = [run for run in runs if not experiment.run_record(run).is_file()]
    kept *= 0 if isinstance(config.model, ImportedModel) else len(untrained)
    unfinished = [
        run
        for run in runs
        if not all(experiment.evaluation_record(run, e).is_file() for e in run.evaluations)
    ]
    weights = policy_bytes(experiment, parameters)
    checkpoints = results = None
    if weights is not None:
        checkpoints = kept * CHECKPOINT_BYTES * (parameters or 0)
        results = len(unfinished) * weights + videos * VIDEO_BYTES
    root = experiment.root
    needs = [
        Need(f"{kept} checkpoints", checkpoints, experiment.folder),
        Need("results", results, experiment.folder),
    ]
    for entry in experiment.datasets:
        missing = missing_files(entry, read_manifest(manifest_file(entry, root)), root)
        needs.append(Need("dataset", fetched_bytes(missing, root), dataset_folder(entry, root)))
    for weights in experiment.weights:
        missing = sum(file.bytes for file in weights.missing())
        needs.append(Need("weights", missing, weights.folder))
    return needs + [
        Need("prepared data", _store_bytes(store, root), stores_folder(root))
        for store in experiment.stores
    ]


def training_steps(experiment: Experiment) -> tuple[int, str]:
    """Of all its runs together, as many as can become necessary; and the same in words."""
    if isinstance(experiment, Sweep):
        return experiment.most_steps(), experiment.steps_in_words()
    steps = experiment.config.training.num_steps * len(experiment.runs)
    return steps, f"{steps} steps"


def training_bytes(config: ExperimentConfig, parameters: int) -> float:
    """What each process holds besides activations, and besides what is gathered of a sharded policy
    while it is computed."""
    if config.training.sharding == "none":
        return TRAINING_BYTES * parameters
    ranks = config.resources.training_processes
    rounds = config.training.micro_batches // ranks
    return (SHARDED_BYTES + SUM_BYTES * math.log2(rounds)) * parameters / ranks


def policy_bytes(experiment: Experiment, parameters: int | None) -> int | None:
    """A policy's weights, on disk and in memory: fp32, or as the files of an imported one have them."""
    if isinstance(experiment.config.model, ImportedModel):
        return sum(file.bytes for file in _imported_tensors(experiment))
    return None if parameters is None else POLICY_BYTES * parameters


def evaluation_bytes(experiment: Experiment, parameters: int | None) -> int | None:
    """What of a policy's weights an evaluation holds in its device's memory: a GPU has them once for each
    worker, or once for all."""
    weights = policy_bytes(experiment, parameters)
    shared = experiment.config.evaluation.batch_size > 1
    if weights is None or experiment.accelerator == "cpu" or shared:
        return weights
    return weights * experiment.config.resources.evaluation_workers


def _imported_tensors(experiment: Experiment) -> list[File]:
    (weights,) = experiment.weights
    return [file for file in weights.files if file.path.endswith(".safetensors")]


def parameter_count(experiment: Experiment) -> int | None:
    """Parameters of the policy, built without memory; None when nothing tells its sizes. Of one that
    is imported, about as many as its files hold numbers.

    `UserError` when they are not what `model.num_params` states.
    """
    if isinstance(experiment.config.model, ImportedModel):
        (weights,) = experiment.weights
        if weights.missing():
            return experiment.config.model.num_params
        files = (weights.folder / file.path for file in _imported_tensors(experiment))
        return sum(map(_numbers, files))
    shape = _shape(experiment.stores[0], experiment.root)  # those that are mixed have one shape
    if shape is None or any(weights.missing() for weights in experiment.weights):  # not here yet
        return experiment.config.model.num_params
    spec = DataSpec(
        cameras=experiment.config.data.cameras,
        image_size=shape.picture[0],
        sentences=tuple(map(str, range(USUAL_WORDS))),
        state_mean=(0.0,) * shape.state_dim,
        state_std=(1.0,) * shape.state_dim,
        action_low=(-1.0,) * shape.action_dim,
        action_high=(1.0,) * shape.action_dim,
    )
    with torch.device("meta"), _NothingDrawn():
        return count_parameters(build_policy(experiment.config.model, spec))


def _numbers(file: Path) -> int:
    """How many numbers a file of safetensors holds, of any precision."""
    with safe_open(file, framework="pt") as content:
        names = content.keys()
        return sum(math.prod(content.get_slice(name).get_shape()) for name in names)


class _NothingDrawn(TorchFunctionMode):
    """Sizes alone are asked for: drawing on the device `meta` would load PyTorch's compiler (1.5 s)."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in (torch.rand, torch.randn):
            return torch.zeros((), device="cpu").expand(*(args or (kwargs["size"],)))
        if function in DRAWN_IN_PLACE:
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs or {})


def _shape(store: Store, root: Path) -> Shape | None:
    return stated_shape(store.entry, store.cameras[0], root)


def _store_bytes(store: Store, root: Path) -> int | None:
    """What the prepared store will take: 0 when it is there, None when nothing tells."""
    if store_record(root, store.name).is_file():
        return 0
    shape = _shape(store, root)
    if shape is None:
        return None
    height, width = shape.picture
    return shape.frames * len(store.cameras) * 3 * height * width


def earlier_seconds_a_step(experiment: Experiment) -> list[float]:
    """Of earlier runs of that model, batch size and precision on GPUs like those here."""
    config = experiment.config
    kind = (
        config.model.model_dump(mode="json", exclude={"num_params"}),
        config.training.batch_size,
        config.training.precision,
        experiment.accelerator,
        [gpu["name"] for gpu in visible_gpus()],
    )
    seconds = []
    for path in (experiment.root / "experiments").glob("*/results/*/run.json"):
        try:
            record = RunRecord.read(path)
        except UserError:  # whoever needs that record will hear of it
            continue
        identity = record.identity
        training = identity.get("training")
        if training is None:  # imported
            continue
        theirs = (
            identity["model"],
            training["batch_size"],
            training["precision"],
            identity["accelerator"],
            [gpu.name for gpu in record.hardware.gpus],
        )
        if theirs == kind:
            seconds.append(record.training_seconds / training["num_steps"])
    return seconds
