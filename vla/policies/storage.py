"""A trained policy on disk: weights as safetensors, everything else as JSON. Nothing is pickled."""

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vla.config.model import ModelSection
from vla.errors import UserError
from vla.files.atomic import require_space, write_atomic, write_json
from vla.files.described import File, check_file, describe_file
from vla.files.sealed import read_json
from vla.policies.policy import Policy, PolicySpec


def save_policy(policy: Policy, path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Write `path` (weights) and `path` with .json (architecture, data spec, `facts`).

    Returns the JSON's content. The JSON is written last and names the weights' SHA-256.
    """
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in policy.state_dict().items()
    }
    save_tensors(tensors, path)
    content = {
        "schema": 1,
        "weights": asdict(describe_file(path, path.parent)),
        "model": policy.config.model_dump(mode="json"),
        "spec": policy.spec.as_json(),
        **facts,
    }
    write_json(path.with_suffix(".json"), content)
    return content


def save_tensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Write safetensors in one piece. `UserError` or `OSError` when the disk is full."""
    way_out = "Free some and run snakemake again: it goes on from what is saved."
    require_space(path, sum(tensor.nbytes for tensor in tensors.values()), way_out)
    try:
        write_atomic(path, lambda temporary: save_file(tensors, temporary))
    except SafetensorError as error:
        refused = re.search(r"os error (\d+)", str(error))  # which it keeps in its text alone
        if not refused:
            raise
        number = int(refused[1])
        raise OSError(number, os.strerror(number), str(path)) from None


def read_policy_facts(path: Path) -> dict[str, Any]:
    return read_json(path.with_suffix(".json"))


def load_policy(path: Path, device: str = "cpu") -> Policy:
    """The policy in evaluation mode, after checking its weights against their SHA-256."""
    facts = read_policy_facts(path)
    check_file(File(**facts["weights"]), path.parent)
    policy = Policy(
        ModelSection.model_validate(facts["model"]), PolicySpec.from_json(facts["spec"])
    )
    try:
        policy.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise UserError(
            f"{path} does not fit this code's policy: {error}", "Train it again with this code."
        ) from None
    return policy.to(torch.device(device)).eval()
