"""Which checkpoints are kept."""

import math
import shutil
from pathlib import Path

from vla.config.operation import CheckpointsSection
from vla.errors import UserError
from vla.records.checkpoint import CheckpointRecord


def checkpoint_losses(folder: Path) -> dict[int, float]:
    """Step -> training loss of the checkpoints in `folder` whose records are sound."""
    losses = {}
    for path in folder.glob("step_*.json"):
        try:
            record = CheckpointRecord.read(path)
        except UserError:  # resuming will report it
            continue
        losses[record.step] = math.inf if record.loss is None else record.loss
    return losses


def kept_steps(losses: dict[int, float], retention: CheckpointsSection, newest: int) -> set[int]:
    """Steps that stay: the `newest` ones, the best, and those at multiples of `keep_every`."""
    keep = set(sorted(losses, reverse=True)[:newest])
    keep |= set(sorted(losses, key=lambda step: (losses[step], step))[: retention.keep_best])
    if retention.keep_every:
        keep |= {step for step in losses if step and step % retention.keep_every == 0}
    return keep


def remove_checkpoint(folder: Path, step: int) -> None:
    """The record first, without which the others are nothing."""
    for path in checkpoint_files(folder, step):
        path.unlink(missing_ok=True)
    if shards_folder(folder, step).is_dir():
        shutil.rmtree(shards_folder(folder, step))


def shards_folder(folder: Path, step: int) -> Path:
    """Where the files of a sharded checkpoint lie."""
    return folder / f"step_{step:08d}"


def checkpoint_files(folder: Path, step: int) -> tuple[Path, Path]:
    """Record and weights of a checkpoint."""
    record = folder / f"step_{step:08d}.json"
    return record, record.with_suffix(".safetensors")
