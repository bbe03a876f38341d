"""Checkpoints of a sharded policy: every rank writes what it holds, any number of ranks reads it.

PyTorch's distributed checkpoints in its safetensors format: a file a rank, whose header says which
slices of which tensors it holds. What a checkpoint consists of stands in its record, with hashes;
nothing is pickled.
"""

import shutil
from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor
from torch import distributed as dist
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.tensor import DTensor

from vla.errors import UserError
from vla.files.atomic import require_space
from vla.files.described import File, check_file, describe_file
from vla.policies.protocol import Policy
from vla.policies.storage import save_tensors
from vla.records.checkpoint import CheckpointRecord
from vla.training.checkpoint import Checkpoints, SinceRow
from vla.training.retention import checkpoint_files, shards_folder
from vla.training.sharded.adamw import ShardedAdamW
from vla.training.sharded.words import on_every_rank, tell

SINCE_ROW = "since_row.safetensors"
HALF_DONE = "half_done_"


def write_shards(folder: Path, policy: Policy, optimizer: ShardedAdamW) -> list[File]:
    """Every rank's shards into `folder`, flushed and read back; the files' paths are relative to the
    folder above. All ranks call this, and all raise what went wrong on one (`UserError`, `OSError`).
    """
    tensors = _tensors(policy, optimizer)
    try:
        writer = HuggingFaceStorageWriter(str(folder), save_distributed=True)
        dcp.save(tensors, storage_writer=writer)
    except CheckpointException as error:
        raise _first(error) from None

    def describe_own() -> File:
        (path,) = folder.glob(f"shard-{dist.get_rank() + 1:05d}-*.safetensors")
        _require_equal(path, tensors)
        return describe_file(path, folder.parent)

    return on_every_rank(describe_own)


def check_shards(files: list[File], folder: Path) -> None:
    """`UserError` when one of them has other bytes. All ranks call this, and each reads some."""
    own = files[dist.get_rank() :: dist.get_world_size()]
    on_every_rank(lambda: [check_file(file, folder) for file in own])


def read_shards(folder: Path, step: int, policy: Policy, optimizer: ShardedAdamW) -> None:
    """What `write_shards` wrote after that step, on any number of ranks. All of them call this."""
    if step:
        optimizer.begin_at(step)
    try:
        dcp.load(_tensors(policy, optimizer), storage_reader=HuggingFaceStorageReader(str(folder)))
    except CheckpointException as error:
        raise _first(error) from None
    optimizer.take_over()


class ShardedCheckpoints(Checkpoints):
    """The checkpoints of one run, as rank 0 keeps them: `step_00000400.json` and a folder of that name.

    The other ranks are told what rank 0 is about to do. Training waits while a checkpoint is written.
    """

    def save(
        self,
        step: int,
        since_row: SinceRow,
        loss: float | None,
        policy: Policy,
        optimizer: ShardedAdamW,
    ) -> None:
        folder, final = self.folder / f"{HALF_DONE}{step:08d}", shards_folder(self.folder, step)
        for leftover in self.folder.glob(f"{HALF_DONE}*"):
            shutil.rmtree(leftover)
        folder.mkdir(parents=True)
        needed = sum(tensor.nbytes for tensor in _tensors(policy, optimizer).values())
        require_space(folder, needed, "Free some and run snakemake again.")
        since = {name: torch.stack(values) for name, values in since_row.items() if values}
        if since:
            save_tensors(since, folder / SINCE_ROW)
        tell("save", folder=str(folder))
        files = write_shards(folder, policy, optimizer)
        if since:
            files.append(describe_file(folder / SINCE_ROW, folder.parent))
        if final.exists():  # without a record, which is written last
            shutil.rmtree(final)
        folder.replace(final)
        named = tuple(File(f"{final.name}/{file.name}", file.bytes, file.sha256) for file in files)
        record = CheckpointRecord(key=self.key, step=step, loss=loss, weights=None, shards=named)
        record.write(checkpoint_files(self.folder, step)[0])
        self.thin_out()

    def path(self, step: int) -> Path:
        return shards_folder(self.folder, step)

    def _check(self, record: CheckpointRecord) -> None:
        files = list(record.shards)
        tell("check", files=files, folder=str(self.folder))
        check_shards(files, self.folder)

    def _load(self, record: CheckpointRecord, policy: Policy, optimizer: ShardedAdamW) -> SinceRow:
        folder = shards_folder(self.folder, record.step)
        tell("load", folder=str(folder), step=record.step)
        read_shards(folder, record.step, policy, optimizer)
        since = load_file(folder / SINCE_ROW) if (folder / SINCE_ROW).is_file() else {}
        return {
            name: [value.to(policy.device) for value in since.get(name, ())]
            for name in ("losses", "norms")
        }


def _tensors(policy: Policy, optimizer: ShardedAdamW) -> dict[str, Tensor]:
    """All there is to save, by name; writing to them writes to policy and optimiser."""
    weights = {f"policy.{name}": value for name, value in policy.state_dict().items()}
    return weights | {f"optimizer.{name}": value for name, value in optimizer.moments().items()}


def _require_equal(path: Path, tensors: dict[str, Tensor]) -> None:
    with safe_open(path, "pt") as written:
        for name in written.keys():  # noqa: SIM118 - it is no dictionary
            value = tensors[name]
            local = value.to_local() if isinstance(value, DTensor) else value
            if not torch.equal(written.get_tensor(name), local.cpu()):
                raise UserError(
                    f"{path} does not hold what was written to it: {name} differs.",
                    "Check the disk, then run snakemake again.",
                )


def _first(error: CheckpointException) -> Exception:
    """What went wrong on the first rank where something did."""
    rank, (cause, _) = min(error.failures.items())
    if isinstance(cause, UserError | OSError):
        return cause
    return RuntimeError(f"rank {rank}: {cause!r}")
