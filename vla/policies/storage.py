"""A trained policy on disk: weights as safetensors, everything else as JSON. Nothing is pickled."""

import os
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.files.atomic import require_space, write_atomic
from vla.files.described import check_file, describe_file
from vla.plugins import find_plugin
from vla.policies.protocol import Policy
from vla.records.policy import PolicyDescription


def save_policy(policy: Policy, path: Path, facts: dict[str, Any]) -> PolicyDescription:
    """Write `path` (weights) and `path` with .json (family and its settings, data spec, `facts`).

    Returns the description, which is written last and names the weights' SHA-256. `facts`: its
    `key`, `seed`, `tasks` and `demonstration_seeds`.
    """
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in policy.state_dict().items()
    }
    save_tensors(tensors, path)
    description = PolicyDescription(
        weights=describe_file(path, path.parent),
        model=policy.config.model_dump(mode="json"),
        spec=policy.spec.as_json(),
        assets=policy.assets,
        **facts,
    )
    description.write(path.with_suffix(".json"))
    return description


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


def read_description(path: Path) -> PolicyDescription:
    """What was written beside the weights at `path`."""
    return PolicyDescription.read(path.with_suffix(".json"))


def load_policy(path: Path, device: str = "cpu") -> Policy:
    """The policy in evaluation mode, after checking its weights against their SHA-256.

    `UserError` when its family is not installed, or when this code's family has other weights.
    """
    description = read_description(path)
    check_file(description.weights, path.parent)
    family = find_plugin("policies", description.model["type"])
    config = family.load("config").Config.model_validate(description.model)
    spec = DataSpec.from_json(description.spec)
    code = family.load("policy")
    if description.assets:
        policy = code.restore(config, spec, description.assets)
    else:
        policy = code.build(config, spec)
    try:
        policy.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise UserError(
            f"{path} does not fit this code's policy: {error}", "Train it again with this code."
        ) from None
    return policy.to(torch.device(device)).eval()
