"""AdamW over each rank's shards, whose bits do not depend on where parameters are cut.

On a CPU PyTorch's fused kernel computes with vectors, and rounds what is left over at the end otherwise;
threads share its work by lines of the cache. So it is given shards whose length is a multiple of such
a line: a parameter's own memory where it is one, a padded copy where it is not.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributed.tensor import DTensor

from vla.config.training import TrainingSection
from vla.policies.protocol import Policy

LINE = 16  # float32 numbers
MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Shard:
    """This rank's part of a parameter. `line`: the same numbers, flat, as the optimiser has them."""

    name: str
    parameter: DTensor
    line: torch.nn.Parameter

    @classmethod
    def of(cls, name: str, parameter: DTensor) -> "Shard":
        return cls(name, parameter, torch.nn.Parameter(_padded(parameter.detach().to_local())))

    def spread(self, line: Tensor) -> DTensor:
        """A vector like `line` in the form of the parameter; shares its memory."""
        local = self.parameter.detach().to_local()
        return DTensor.from_local(
            line.detach()[: local.numel()].view_as(local),
            self.parameter.device_mesh,
            self.parameter.placements,
            shape=self.parameter.shape,
            stride=self.parameter.stride(),
        )


class ShardedAdamW(torch.optim.AdamW):
    """AdamW (Loshchilov & Hutter 2019) over the policy's parameter groups, sharded."""

    def __init__(self, policy: Policy, config: TrainingSection):
        names = {parameter: name for name, parameter in policy.named_parameters()}
        self.shards: list[Shard] = []
        groups = []
        for group in policy.parameter_groups():
            own = [Shard.of(names[parameter], parameter) for parameter in group["params"]]
            self.shards += own
            groups.append(group | {"params": [shard.line for shard in own]})
        super().__init__(
            groups,
            lr=config.learning_rate,
            betas=config.betas,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def collect(self) -> Tensor:
        """This rank's shards of all gradients as one vector; takes them off the parameters."""
        self._learning = [shard for shard in self.shards if shard.parameter.grad is not None]
        vector = torch.cat([_padded(shard.parameter.grad.to_local()) for shard in self._learning])
        for shard in self._learning:
            shard.parameter.grad = None
        return vector

    def step_along(self, gradient: Tensor) -> None:
        """One step; `gradient`: a sum of what `collect` gave."""
        parts = gradient.split([len(shard.line) for shard in self._learning])
        for shard, part in zip(self._learning, parts, strict=True):
            shard.line.grad = part
        self.step()
        self.zero_grad(set_to_none=True)
        self._put_back()

    def moments(self) -> dict[str, DTensor]:
        """AdamW's moments by name, in the form of their parameters: views that can be written to."""
        found = {}
        for shard in self.shards:
            for name in MOMENTS:
                if name in self.state[shard.line]:
                    found[f"{name}.{shard.name}"] = shard.spread(self.state[shard.line][name])
        return found

    def begin_at(self, step: int) -> None:
        """Have moments, as after `step` steps, for `moments` to be filled."""
        for shard in self.shards:
            state = self.state[shard.line]
            state["step"] = torch.tensor(float(step), device=shard.line.device)
            for name in MOMENTS:
                state[name] = torch.zeros_like(shard.line.detach())

    @torch.no_grad()
    def take_over(self) -> None:
        """The parameters' numbers, which were changed from outside."""
        for shard in self.shards:
            shard.line.copy_(_padded(shard.parameter.to_local()))

    @torch.no_grad()
    def _put_back(self) -> None:
        """The new numbers of padded copies into their parameters."""
        for shard in self.shards:
            local = shard.parameter.to_local()
            if local.numel() != len(shard.line):
                local.copy_(shard.line[: local.numel()].view_as(local))


def _padded(local: Tensor) -> Tensor:
    """Flat, zeros added up to a multiple of LINE; without any to add, the same memory."""
    flat = local.reshape(-1)
    missing = -len(flat) % LINE
    return F.pad(flat, (0, missing)) if missing else flat
