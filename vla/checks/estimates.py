"""What an experiment will need: parameters, disk, time; and whether its dataset can be brought here."""

import configparser
import json
from pathlib import Path
from typing import Any

import torch

from vla.errors import UserError
from vla.files import read_sealed
from vla.items import Experiment
from vla.models.language import Vocabulary
from vla.models.policy import PolicySpec, build_policy, count_parameters
from vla.provenance.accelerator import visible_gpus

CHECKPOINT_BYTES = 12  # a parameter: weight and AdamW's two moments, fp32
TRAINING_BYTES = 16  # the same and the gradient
POLICY_BYTES = 4
VIDEO_BYTES = 400_000  # one filmed episode
USUAL_WORDS = 100  # of a vocabulary that is not known before the data is read
USUAL_TASKS = 4


def disk_needs(experiment: Experiment, parameters: int) -> dict[str, float]:
    """Bytes that will be written, by kind, for all seeds."""
    config = experiment.config
    keep = config.checkpoints
    kept = 1 + keep.keep_last + keep.keep_best  # one more while it is written
    if keep.keep_every:
        kept += config.training.num_steps // keep.keep_every
    videos = len(config.evaluation.tasks or ()) or USUAL_TASKS
    videos *= config.evaluation.videos_per_task * len(config.evaluation.conditions)
    seeds = len(experiment.runs)
    return {
        f"{seeds * kept} checkpoints": seeds * kept * CHECKPOINT_BYTES * parameters,
        "results": seeds * (POLICY_BYTES * parameters + videos * VIDEO_BYTES),
        "prepared data": _store_bytes(experiment),
    }


def parameter_count(experiment: Experiment) -> int | None:
    """Parameters of the policy, built without memory; None when nothing tells its sizes.

    `UserError` when they are not what `model.num_params` states.
    """
    info = experiment.dataset.folder(experiment.root) / "meta/info.json"
    try:
        features = json.loads(info.read_text())["features"]
        cameras = experiment.config.data.cameras
        spec = PolicySpec(
            cameras=cameras,
            image_size=features[f"observation.images.{cameras[0]}"]["shape"][0],
            vocabulary=Vocabulary(tuple(map(str, range(USUAL_WORDS)))),
            state_mean=(0.0,) * features["observation.state"]["shape"][0],
            state_std=(1.0,) * features["observation.state"]["shape"][0],
            action_low=(-1.0,) * features["action"]["shape"][0],
            action_high=(1.0,) * features["action"]["shape"][0],
        )
        with torch.device("meta"):
            return count_parameters(build_policy(experiment.config.model, spec))
    except (OSError, ValueError, KeyError):
        return experiment.config.model.num_params


def _store_bytes(experiment: Experiment) -> int:
    """What the prepared store will take; 0 when it is there or the dataset is not yet."""
    if (experiment.root / "data/.prepared" / experiment.store.name / "prepared.json").is_file():
        return 0
    try:
        info = json.loads(
            (experiment.dataset.folder(experiment.root) / "meta/info.json").read_text()
        )
        cameras = experiment.config.data.cameras
        shapes = [info["features"][f"observation.images.{name}"]["shape"] for name in cameras]
        return info["total_frames"] * sum(h * w * c for h, w, c in shapes)
    except (OSError, ValueError, KeyError):
        return 0


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


def can_be_pulled(manifest: dict[str, Any], root: Path) -> bool:
    """Whether DVC's cache or default remote has every file; a remote elsewhere is believed to."""
    config = configparser.ConfigParser()
    config.read([root / ".dvc/config", root / ".dvc/config.local"])
    places = [root / ".dvc/cache"]
    remote = f"'remote \"{config.get('core', 'remote', fallback='')}\"'"
    if config.has_section(remote):
        url = config[remote]["url"]
        if "://" in url:
            return True
        places.append(root / ".dvc" / url)
    return all(
        any((p / "files/md5" / f["md5"][:2] / f["md5"][2:]).is_file() for p in places)
        for f in manifest["files"]
    )
