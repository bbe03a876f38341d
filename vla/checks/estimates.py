"""What an experiment will need: parameters, disk, time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vla.checks.dataset import dataset_info, fetched_bytes, missing_files
from vla.data.manifest import read_manifest
from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.files.sealed import read_sealed
from vla.plan.items import Experiment
from vla.policies.building import build_policy, count_parameters
from vla.process.accelerator import visible_gpus

CHECKPOINT_BYTES = 12  # a parameter: weight and AdamW's two moments, fp32
TRAINING_BYTES = 16  # the same and the gradient
POLICY_BYTES = 4
VIDEO_BYTES = 400_000  # one filmed episode
USUAL_WORDS = 100  # of a vocabulary that is not known before the data is read
USUAL_TASKS = 4


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
    untrained = [run for run in experiment.runs if not experiment.run_record(run).is_file()]
    kept *= len(untrained)
    unfinished = [
        run
        for run in experiment.runs
        if not all(experiment.evaluation_record(run, e).is_file() for e in run.evaluations)
    ]
    checkpoints = results = None
    if parameters is not None:
        checkpoints = kept * CHECKPOINT_BYTES * parameters
        results = len(unfinished) * POLICY_BYTES * parameters + videos * VIDEO_BYTES
    root, entry = experiment.root, experiment.dataset
    missing = missing_files(entry, read_manifest(entry.manifest(root)), root)
    return [
        Need(f"{kept} checkpoints", checkpoints, experiment.folder),
        Need("results", results, experiment.folder),
        Need("dataset", fetched_bytes(missing, root), entry.folder(root)),
        Need("prepared data", _store_bytes(experiment), root / "data/.prepared"),
    ]


def parameter_count(experiment: Experiment) -> int | None:
    """Parameters of the policy, built without memory; None when nothing tells its sizes.

    `UserError` when they are not what `model.num_params` states.
    """
    try:
        features = _info(experiment)["features"]
        cameras = experiment.config.data.cameras
        spec = DataSpec(
            cameras=cameras,
            image_size=features[f"observation.images.{cameras[0]}"]["shape"][0],
            sentences=tuple(map(str, range(USUAL_WORDS))),
            state_mean=(0.0,) * features["observation.state"]["shape"][0],
            state_std=(1.0,) * features["observation.state"]["shape"][0],
            action_low=(-1.0,) * features["action"]["shape"][0],
            action_high=(1.0,) * features["action"]["shape"][0],
        )
        with torch.device("meta"):
            return count_parameters(build_policy(experiment.config.model, spec))
    except KeyError:  # not here yet, or of another format
        return experiment.config.model.num_params


def _info(experiment: Experiment) -> dict[str, Any]:
    entry, root = experiment.dataset, experiment.root
    return dataset_info(entry, read_manifest(entry.manifest(root)), root)


def _store_bytes(experiment: Experiment) -> int | None:
    """What the prepared store will take: 0 when it is there, None when nothing tells."""
    if (experiment.root / "data/.prepared" / experiment.store.name / "prepared.json").is_file():
        return 0
    try:
        info = _info(experiment)
        cameras = experiment.config.data.cameras
        shapes = [info["features"][f"observation.images.{name}"]["shape"] for name in cameras]
        return info["total_frames"] * sum(h * w * c for h, w, c in shapes)
    except KeyError:
        return None


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
            record = read_sealed(path)
        except UserError:  # whoever needs that record will hear of it
            continue
        identity = record["identity"]
        training = identity["training"]
        theirs = (
            identity["model"],
            training["batch_size"],
            training["precision"],
            identity["accelerator"],
            [gpu["name"] for gpu in record["hardware"]["gpus"]],
        )
        if theirs == kind:
            seconds.append(record["training_seconds"] / training["num_steps"])
    return seconds
