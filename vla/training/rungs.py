"""Training up to a rung: a step at which a sweep decides which of its runs go on."""

from pathlib import Path

import torch
from safetensors.torch import save

from vla.config.complete import ExperimentConfig
from vla.errors import GoOnLaterError
from vla.files.hashing import sha256_bytes
from vla.policies.protocol import Policy
from vla.records.rung import EARLY
from vla.training.loop import Step
from vla.training.retention import checkpoint_losses
from vla.training.supervision import Supervisor


class UpToStep(Supervisor):
    """Ends training after step `last` as a signal would, with the state saved; a run that is there already
    does not train.

    `policy`: has the weights of that step once `arrived`.
    """

    policy: Policy
    arrived: bool = False

    def __init__(
        self, config: ExperimentConfig, key: str, checkpoints: Path, logs: Path, last: int
    ):
        super().__init__(config, key, checkpoints, logs)
        self.last = last

    def resume(self, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
        self.policy = policy
        first = super().resume(policy, optimizer)
        if first == self.last:
            self.arrived = True
            raise GoOnLaterError(f"{EARLY}: at step {first} already.")
        return first

    def after_step(self, step: Step) -> None:
        if step.done == self.last:
            self.ask_to_stop(EARLY)
        try:
            super().after_step(step)
        except GoOnLaterError:
            self.arrived = step.done == self.last
            raise


def newest_step(checkpoints: Path) -> int:
    """Of the checkpoints in that folder; 0 without any."""
    return max(checkpoint_losses(checkpoints), default=0)


def hash_weights(policy: Policy) -> str:
    """SHA-256 of the file that they would be."""
    tensors = policy.state_dict().items()
    return sha256_bytes(save({name: value.detach().cpu().contiguous() for name, value in tensors}))
