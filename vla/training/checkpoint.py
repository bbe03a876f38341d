"""Checkpoints one can resume from: safetensors and JSON, written atomically, never unpickled.

Learning rate, batch order and augmentation are functions of the step, so that weights, AdamW's
moments and the step are all there is to save.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from vla.errors import UserError
from vla.files import check_file, describe_file, read_json, write_atomic, write_json


def save_checkpoint(
    folder: Path,
    key: str,
    step: int,
    policy: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    losses: list[torch.Tensor],
) -> None:
    """Write the state after `step` steps, then remove the older ones.

    `losses`: those of the steps since the last row of metrics.
    """
    tensors = {f"policy.{name}": value for name, value in policy.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    if losses:
        tensors["losses"] = torch.stack(losses)
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    path = folder / f"step_{step:08d}.safetensors"
    write_atomic(path, lambda temporary: save_file(tensors, temporary))
    write_json(
        path.with_suffix(".json"),
        {"schema": 1, "key": key, "step": step, "weights": describe_file(path, folder)},
    )
    for old in folder.glob("step_*.json"):
        if old != path.with_suffix(".json"):
            old.unlink()
            old.with_suffix(".safetensors").unlink(missing_ok=True)


def resume(
    folder: Path, key: str, policy: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, list[torch.Tensor]]:
    """Load the newest checkpoint into policy and optimiser; returns its step (0 without one) and the
    losses since the last row of metrics."""
    records = sorted(folder.glob("step_*.json"))
    if not records:
        return 0, []
    record = read_json(records[-1])
    if record["key"] != key:
        raise UserError(
            f"{records[-1]} belongs to run {record['key']}, not to {key}.",
            f"Set {folder} aside.",
        )
    tensors = load_file(check_file(record["weights"], folder))
    policy.load_state_dict(
        {
            name.removeprefix("policy."): t
            for name, t in tensors.items()
            if name.startswith("policy.")
        }
    )
    content = optimizer.state_dict()
    content["state"] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, number, field = name.split(".")
            content["state"].setdefault(int(number), {})[field] = tensor
    optimizer.load_state_dict(content)
    device = next(policy.parameters()).device
    return record["step"], [loss.to(device) for loss in tensors.get("losses", ())]
