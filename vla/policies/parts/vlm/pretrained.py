"""Pretrained parts as they lie in `weights/NAME/`: safetensors, and the text files that describe them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import PreTrainedConfig, PreTrainedModel

from vla.errors import UserError
from vla.plugins import ROOT
from vla.weights.places import weights_folder

TEXTS = ("config.json", "preprocessor_config.json", "tokenizer.json")


def folder_of(name: str) -> Path:
    """Where the files of the registry's entry are; `UserError` when they are not."""
    folder = weights_folder(name, ROOT)
    if not (folder / "config.json").is_file():
        raise UserError(
            f"{folder}/config.json is missing, which says what the weights {name} are of.",
            f"Bring it here: vla pin weights/{name}, or snakemake, once it is pinned.",
        )
    return folder


def read_assets(folder: Path) -> dict[str, str]:
    """The text files that a model of these weights is built by: name -> content."""
    return {name: (folder / name).read_text() for name in TEXTS if (folder / name).is_file()}


def check_kind(what: str, kind: str, known: Iterable[str]) -> None:
    """`UserError` for a `model_type` that is none of the known ones."""
    if kind not in known:
        raise UserError(
            f"These weights are of a {kind or 'nameless kind'}, which is no {what} known here.",
            f"Take weights of one of: {', '.join(known)}.",
        )


def make_config(kind: type[PreTrainedConfig], content: dict[str, Any]) -> PreTrainedConfig:
    """A model's configuration; `UserError` when `content` is none of that kind, or quantised.

    How attention is computed is this project's choice: a name there could ask for code from the hub.
    """
    if content.get("quantization_config"):
        raise UserError(
            "config.json of the weights says that they are quantised.",
            "Take them in fp32, fp16 or bf16.",
        )
    kept = {
        name: value for name, value in content.items() if not name.endswith("attn_implementation")
    }
    try:
        return kind.from_dict(kept, attn_implementation="sdpa")
    except (StrictDataclassError, TypeError, ValueError) as error:
        raise UserError(
            f"config.json of the weights describes no {kind.__name__}: {error}",
            "Take other weights.",
        ) from None


def load_model(
    kind: type[PreTrainedModel], config: PreTrainedConfig, folder: Path | None, **arguments: object
) -> PreTrainedModel:
    """A model of that configuration: with the weights in `folder`, or with fresh ones to be replaced.

    Reads safetensors alone. `UserError` when the model has weights that the folder lacks.
    """
    if folder is None:
        return kind(config, **arguments)
    try:
        model, found = kind.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **arguments,
        )
    except (OSError, RuntimeError, SafetensorError) as error:  # no safetensors, or of other shapes
        raise UserError(
            f"The weights in {folder} cannot be read as a {kind.__name__}: {error}",
            "Take other weights, or correct their config.json.",
        ) from None
    if missing := sorted(found["missing_keys"]):
        raise UserError(
            f"{folder} lacks {len(missing)} weights of a {kind.__name__}, such as {missing[0]}.",
            "Take other weights, or correct their config.json.",
        )
    return model
