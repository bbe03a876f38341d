"""Several ranks with a shard each: rank 0 decides when to save, to resume and to end; all of them do it.

After every step the others say whether they were asked to stop, and rank 0 says what follows.
"""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from vla.config.complete import ExperimentConfig
from vla.errors import GoOnLaterError, UserError
from vla.policies.protocol import Policy
from vla.process.signals import StopRequest
from vla.training.loop import Step
from vla.training.sharded.adamw import ShardedAdamW
from vla.training.sharded.checkpoint import (
    ShardedCheckpoints,
    check_shards,
    read_shards,
    write_shards,
)
from vla.training.sharded.words import any_signal, hear, tell
from vla.training.supervision import Supervisor


def require_shards(optimizer: torch.optim.Optimizer) -> None:
    """`UserError` when training code holds the whole policy though the configuration shares it out."""
    if not isinstance(optimizer, ShardedAdamW):
        raise UserError(
            "This experiment's train.py trains a whole policy, and training.sharding shares it out.",
            "Begin again from a copy of vla/training/sharded/standard.py, or set sharding: none.",
        )


class LeadingShards(AbstractContextManager):
    """Rank 0's supervision."""

    def __init__(self, config: ExperimentConfig, key: str, checkpoints: Path, logs: Path):
        self._own = Supervisor(config, key, checkpoints, logs, ShardedCheckpoints)

    def __enter__(self) -> "LeadingShards":
        self._own.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._own.__exit__(*error)

    def resume(self, policy: Policy, optimizer: ShardedAdamW) -> int:
        require_shards(optimizer)
        with _EndingAll():
            step = self._own.resume(policy, optimizer)
        tell("go on", step=step)
        return step

    def waiting(self) -> AbstractContextManager[None]:
        return self._own.waiting()

    def after_step(self, step: Step) -> None:
        if name := any_signal(None):
            self._own.ask_to_stop(name)
        with _EndingAll():
            self._own.after_step(step)
        tell("go on", step=step.done)

    def finish(self) -> tuple[float, float]:
        return self._own.finish()


class FollowingShards(AbstractContextManager):
    """The supervision of the other ranks."""

    def __enter__(self) -> "FollowingShards":
        self._stop = StopRequest()
        self._stop.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.__exit__(*error)

    def resume(self, policy: Policy, optimizer: ShardedAdamW) -> int:
        require_shards(optimizer)
        self._policy, self._optimizer = policy, optimizer
        return self._obey()

    def waiting(self) -> AbstractContextManager[None]:
        return nullcontext()

    def after_step(self, step: Step) -> None:
        any_signal(self._stop.signal_name)
        self._obey()

    def finish(self) -> tuple[float, float]:
        return 0.0, 0.0

    def _obey(self) -> int:
        """Do as rank 0 says until it says to go on; returns the step to go on after."""
        while True:
            name, said = hear()
            if name == "go on":
                return said["step"]
            if name == "end":
                raise GoOnLaterError("Rank 0 ended the training.")
            try:
                self._do(name, said)
            except (UserError, OSError):
                continue  # rank 0 has met with it as well, and says what follows

    def _do(self, name: str, said: dict[str, Any]) -> None:
        if name == "check":
            check_shards(said["files"], Path(said["folder"]))
        elif name == "load":
            read_shards(Path(said["folder"]), said["step"], self._policy, self._optimizer)
        elif name == "save":
            write_shards(Path(said["folder"]), self._policy, self._optimizer)


class _EndingAll(AbstractContextManager):
    """What ends rank 0 here ends the others."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            tell("end")
