"""Checkpoints one can resume from: safetensors and JSON, written beside training, never unpickled.

Learning rate, batch order and augmentation are functions of the step, so that weights, AdamW's
moments and the step are all there is to save.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from vla.config.operation import CheckpointsSection
from vla.errors import UserError
from vla.files.atomic import remove_leftovers
from vla.files.described import describe_file
from vla.policies.storage import save_tensors
from vla.records.checkpoint import CheckpointRecord
from vla.training.retention import (
    checkpoint_files,
    checkpoint_losses,
    kept_steps,
    remove_checkpoint,
)

logger = logging.getLogger("vla")

# `losses` and gradient `norms` of the steps since the last row of metrics, of which the next is made.
SinceRow = dict[str, list[torch.Tensor]]


class Checkpoints:
    """The checkpoints of one run, in a folder of its own.

    `save` copies the state and returns; a thread writes it. An error of the thread is raised by the
    next call. Older checkpoints go only after the new one has been read back and found equal.
    """

    def __init__(self, folder: Path, key: str, retention: CheckpointsSection):
        self.folder, self.key, self.retention = folder, key, retention
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._pending: Future[None] | None = None
        self._pinned: set[int] = set()

    def save(
        self,
        step: int,
        since_row: SinceRow,
        loss: float | None,
        policy: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        """Save the state after `step` steps.

        `loss`: what `keep_best` compares (None before the first step).
        """
        self.wait()
        tensors = {f"policy.{name}": value for name, value in policy.state_dict().items()}
        for number, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
        tensors |= {name: torch.stack(values) for name, values in since_row.items() if values}
        copies = {
            name: value.detach().to("cpu", copy=True).contiguous()
            for name, value in tensors.items()
        }
        self._pending = self._thread.submit(self._write, step, loss, copies)

    def steps(self) -> list[int]:
        """Steps of the checkpoints on disk, ascending, when the last one is written."""
        self.wait()
        return sorted(
            int(path.stem.removeprefix("step_")) for path in self.folder.glob("step_*.json")
        )

    def path(self, step: int) -> Path:
        """Where the state after that step lies."""
        return checkpoint_files(self.folder, step)[1]

    def pin(self, step: int | None) -> None:
        """Keep this one, whatever the configuration says: an anomaly names it as the last good."""
        if step is not None:
            self._pinned.add(step)

    def wait(self) -> None:
        """Until the last checkpoint is on disk; raises what went wrong there."""
        if self._pending:
            pending, self._pending = self._pending, None
            pending.result()

    def raise_errors(self) -> None:
        """Raise what went wrong in the thread, without waiting for it."""
        if self._pending and self._pending.done():
            self.wait()

    def close(self) -> None:
        """Let the thread end; what it still writes is written."""
        self._thread.shutdown(wait=True)

    def resume(
        self, policy: torch.nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[int, SinceRow]:
        """Load the newest sound checkpoint into policy and optimiser.

        Returns its step (0 without one) and what had come since the last row of metrics.
        A damaged one is set aside with a warning. One of another run is a `UserError`.
        """
        remove_leftovers(self.folder)
        for path in sorted(self.folder.glob("step_*.json"), reverse=True):
            try:
                record = CheckpointRecord.read(path)
                self._check(record)
            except UserError as error:
                self._set_aside(path, error)
                continue
            if record.key != self.key:
                raise UserError(
                    f"{path} belongs to run {record.key}, not to {self.key}.",
                    f"Set {self.folder} aside.",
                )
            return record.step, self._load(record, policy, optimizer)
        return 0, {"losses": [], "norms": []}

    def _check(self, record: CheckpointRecord) -> None:
        """`UserError` when its bytes are not those recorded."""
        record.check_files(self.folder)

    def _load(
        self, record: CheckpointRecord, policy: torch.nn.Module, optimizer: torch.optim.Optimizer
    ) -> SinceRow:
        return _load(self.folder / record.weights.path, policy, optimizer)

    def _set_aside(self, path: Path, error: UserError) -> None:
        for damaged in (path, path.with_suffix(".safetensors"), path.with_suffix("")):
            if damaged.exists():
                damaged.replace(damaged.with_name(f"{damaged.name}.damaged"))
        logger.warning("%s\nSet aside; going on from the checkpoint before.", error.problem)

    def _write(self, step: int, loss: float | None, tensors: dict[str, torch.Tensor]) -> None:
        record_path, path = checkpoint_files(self.folder, step)
        self.folder.mkdir(parents=True, exist_ok=True)
        save_tensors(tensors, path)
        _require_equal(path, tensors)
        weights = describe_file(path, self.folder)
        CheckpointRecord(key=self.key, step=step, loss=loss, weights=weights).write(record_path)
        self.thin_out()

    def thin_out(self) -> None:
        """Remove what the configuration does not keep."""
        losses = checkpoint_losses(self.folder)
        keep = kept_steps(losses, self.retention, newest=self.retention.keep_last) | self._pinned
        for step in losses.keys() - keep:
            remove_checkpoint(self.folder, step)


def _load(path: Path, policy: torch.nn.Module, optimizer: torch.optim.Optimizer) -> SinceRow:
    tensors = load_file(path)
    weights = {
        name.removeprefix("policy."): tensor
        for name, tensor in tensors.items()
        if name.startswith("policy.")
    }
    policy.load_state_dict(weights)
    content = optimizer.state_dict()
    content["state"] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, number, field = name.split(".")
            content["state"].setdefault(int(number), {})[field] = tensor
    optimizer.load_state_dict(content)
    device = next(policy.parameters()).device
    return {
        name: [value.to(device) for value in tensors.get(name, ())] for name in ("losses", "norms")
    }


def _require_equal(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    with safe_open(path, "pt") as written:
        for name, tensor in tensors.items():
            if not torch.equal(written.get_tensor(name), tensor):
                raise UserError(
                    f"{path} does not hold what was written to it: {name} differs.",
                    "Check the disk, then run snakemake again.",
                )
