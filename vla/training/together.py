"""Several processes (ranks) that train one run: rank 0 decides, the others do as it says.

Rank 0 alone has checkpoints and metrics, and hears signals.
"""

import os
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import distributed as dist

from vla.errors import GoOnLaterError
from vla.policies.protocol import Policy
from vla.training.loop import Step, Supervision
from vla.training.ranks import Ranks


def join_ranks(rank: int, count: int, device: torch.device, meeting: str) -> Ranks:
    """Meet the other ranks by the file `meeting`; over the loopback interface, unless the environment
    names another."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    backend = "gloo"  # of what ranks tell each other, and of a CPU's gradients
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, init_method=f"file://{meeting}", rank=rank, world_size=count)
    return Ranks(rank, count)


class Leading(AbstractContextManager):
    """Rank 0's supervision: what it loads and decides, the other ranks are told."""

    def __init__(self, supervision: Supervision):
        self._own = supervision

    def __enter__(self) -> "Leading":
        self._own.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._own.__exit__(*error)

    def resume(self, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
        step = self._own.resume(policy, optimizer)
        _share(step, policy, optimizer)
        return step

    def waiting(self) -> AbstractContextManager[None]:
        return self._own.waiting()

    def after_step(self, step: Step) -> None:
        try:
            self._own.after_step(step)
        except BaseException:
            _tell(ends=True)
            raise
        _tell(ends=False)

    def finish(self) -> tuple[float, float]:
        return self._own.finish()


class Following(AbstractContextManager):
    """The supervision of the other ranks, which do as rank 0 says."""

    def __exit__(self, *error: object) -> None:
        pass

    def resume(self, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
        return _share(0, policy, optimizer)

    def waiting(self) -> AbstractContextManager[None]:
        return nullcontext()

    def after_step(self, step: Step) -> None:
        if _tell(ends=False):
            raise GoOnLaterError("Rank 0 ended the training.")

    def finish(self) -> tuple[float, float]:
        return 0.0, 0.0


def _tell(ends: bool) -> bool:
    """Whether rank 0 ends the training here; what other ranks say of it counts for nothing."""
    flag = torch.tensor([ends], dtype=torch.uint8)
    dist.broadcast(flag, 0)
    return bool(flag.item())


def _share(step: int, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
    """Give rank 0's weights, moments and step to all; returns the step."""
    number = torch.tensor([step])
    dist.broadcast(number, 0)
    for tensor in policy.state_dict().values():
        dist.broadcast(tensor, 0)
    if number.item():  # before the first step there are no moments
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                state = optimizer.state[parameter]
                state.setdefault("step", torch.zeros((), device=parameter.device))
                for name in ("exp_avg", "exp_avg_sq"):
                    state.setdefault(name, torch.zeros_like(parameter))
                for name in ("step", "exp_avg", "exp_avg_sq"):
                    dist.broadcast(state[name], 0)
    return int(number.item())
