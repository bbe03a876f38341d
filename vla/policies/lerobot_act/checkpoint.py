"""A policy's folder as LeRobot writes it: weights, and how inputs and actions are normalised.

Since 0.4 the processors hold the normalisation (`policy_preprocessor.json`, `policy_postprocessor.json`
and the safetensors that these name); before, buffers among the weights did. Nothing is unpickled.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vla.errors import UserError
from vla.policies.lerobot_act.architecture import Architecture, parse_architecture

EPS = 1e-8  # LeRobot's, against division by zero
BOUNDS = {"MIN_MAX": ("min", "max"), "QUANTILES": ("q01", "q99"), "QUANTILE10": ("q10", "q90")}
# Steps of a processor that change no number, and the two that normalise.
PLAIN_STEPS = ("rename_observations_processor", "to_batch_processor", "device_processor")
NORMALISERS = {
    "policy_preprocessor": "normalizer_processor",
    "policy_postprocessor": "unnormalizer_processor",
}
BEFORE = {
    "policy_preprocessor": "normalize_inputs.",
    "policy_postprocessor": "unnormalize_outputs.",
}
NORMALISATION = ("normalize_inputs.", "normalize_targets.", "unnormalize_outputs.")
TRAINING_ALONE = "model.vae_encoder"  # how names of weights begin that act no part in acting


@dataclass(frozen=True)
class Scale:
    """normalised = (value - shift) / scale, and back. Both float32 (dimensions,); of pictures (3, 1, 1)."""

    shift: Tensor
    scale: Tensor


@dataclass(frozen=True)
class Checkpoint:
    """`text`: of config.json; `weights`: of the network, by LeRobot's names without `model.`;
    `scales`: by feature."""

    text: str
    architecture: Architecture
    weights: dict[str, Tensor]
    scales: dict[str, Scale]


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder whose bytes were verified. `UserError` naming the file that is missing, or says
    something that is not supported, or holds other shapes than it says."""
    text = _text(folder / "config.json")
    architecture = parse_architecture(text, folder / "config.json")
    tensors = _tensors(folder / "model.safetensors")
    scales = {}
    for part in NORMALISERS:
        features = (
            architecture.input_features
            if part == "policy_preprocessor"
            else architecture.output_features
        )
        path = folder / f"{part}.json"
        if path.is_file():
            modes, eps, statistics = _processor(path, part)
            source = str(path)
        elif any(name.startswith(NORMALISATION) for name in tensors):
            modes, eps = dict(architecture.normalization_mapping), EPS
            statistics = _buffers(tensors, BEFORE[part], features)
            source = f"{folder}/model.safetensors"
        else:
            raise UserError(
                f"{folder} does not say how its policy normalises: neither {part}.json is there nor "
                "buffers among the weights.",
                "Take the checkpoint's whole folder; one of before LeRobot 0.4 whose buffers were "
                "stripped cannot be used as it comes.",
            )
        back = part == "policy_postprocessor"
        for name, feature in features.items():
            mode = modes.get(feature.type, "IDENTITY")
            shape = (feature.shape[0], 1, 1) if feature.type == "VISUAL" else feature.shape
            found = statistics.get(name, {})
            scales[name] = _scale(mode, found, shape, 0.0 if back else eps, f"{source}: {name}")
    weights = {
        name.removeprefix("model."): tensor.float()
        for name, tensor in tensors.items()
        if not name.startswith((TRAINING_ALONE, *NORMALISATION))
    }
    return Checkpoint(text, architecture, weights, scales)


def _scale(
    mode: str, found: dict[str, Tensor], shape: tuple[int, ...], eps: float, source: str
) -> Scale:
    """As LeRobot's `NormalizerProcessorStep` computes; `eps` is added to a standard deviation."""
    if mode == "IDENTITY":
        return Scale(torch.zeros(shape), torch.ones(shape))
    names = ("mean", "std") if mode == "MEAN_STD" else BOUNDS.get(mode)
    if names is None:
        raise UserError(
            f"{source}: unknown normalisation {mode!r}.", f"Known: {', '.join(BOUNDS)}."
        )
    for name in names:
        if name not in found or not torch.isfinite(found[name]).all():
            raise UserError(
                f"{source}: normalisation {mode} needs {name}, which is missing or not finite.",
                "Take the whole checkpoint, with the statistics of the data that it was trained on.",
            )
        if tuple(found[name].shape) != shape:
            raise UserError(
                f"{source}: {name} has the shape {tuple(found[name].shape)}, config.json says {shape}.",
                "The files are not of one checkpoint: bring its folder anew.",
            )
    first, second = (found[name].float() for name in names)
    if mode == "MEAN_STD":
        return Scale(first, second + eps)
    span = torch.where(second == first, torch.tensor(EPS), second - first)
    return Scale(first + span / 2, span / 2)


def _processor(path: Path, part: str) -> tuple[dict[str, str], float, dict[str, dict[str, Tensor]]]:
    """Of the step that normalises: modes by type of feature, eps, statistics by feature."""
    content, found = _json(path), None
    for step in content.get("steps", ()):
        name = step.get("registry_name")
        if name == NORMALISERS[part]:
            found = step
        elif name not in PLAIN_STEPS:
            raise UserError(
                f"{path}: the step {name or step.get('class')!r} is not known here.",
                f"Known are {', '.join((*PLAIN_STEPS, NORMALISERS[part]))}: without that step the policy "
                "would act differently here.",
            )
    if found is None:
        raise UserError(f"{path} has no step {NORMALISERS[part]}.", "Take the whole checkpoint.")
    settings, file = found.get("config", {}), found.get("state_file")
    if not file or Path(file).name != file:
        raise UserError(
            f"{path}: the step {NORMALISERS[part]} names no file with statistics.",
            "Take the checkpoint with the statistics of the data that it was trained on.",
        )
    statistics: dict[str, dict[str, Tensor]] = {}
    for name, tensor in _tensors(path.with_name(file)).items():
        feature, _, statistic = name.rpartition(".")
        statistics.setdefault(feature, {})[statistic] = tensor
    return settings.get("norm_map", {}), float(settings.get("eps", EPS)), statistics


def _buffers(
    tensors: dict[str, Tensor], prefix: str, features: dict[str, Any]
) -> dict[str, dict[str, Tensor]]:
    """Statistics as they lay among the weights before LeRobot 0.4: by feature."""
    statistics = {}
    for name in features:
        beginning = f"{prefix}buffer_{name.replace('.', '_')}."
        statistics[name] = {
            key.removeprefix(beginning): tensor
            for key, tensor in tensors.items()
            if key.startswith(beginning)
        }
    return statistics


def _text(path: Path) -> str:
    if not path.is_file():
        raise UserError(
            f"{path} is missing.",
            "A checkpoint of LeRobot is a folder `pretrained_model` with config.json and "
            "model.safetensors: register that one in config/weights.yaml.",
        )
    return path.read_text("utf-8")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path))
    except ValueError as error:
        raise UserError(f"{path} is no JSON: {error}", "Bring the file anew.") from None
    return content if isinstance(content, dict) else {}


def _tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(
            f"{path} is missing.", "Take the whole checkpoint, and pin it: vla pin weights/NAME."
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is no safetensors file: {error}", "Bring it anew.") from None
