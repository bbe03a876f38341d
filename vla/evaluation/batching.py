"""One policy for several episodes: it acts on a fixed number of observations at once."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from vla.errors import UserError
from vla.policies.protocol import Inputs, Policy


class BatchedPolicy:
    """What an episode asks of a policy (`spec`, `processor`, `device`, `act`), in batches of one size.

    Kernels choose their order of summation by shapes. In batches that always have `rows` rows an
    observation gets the same action, to the bit, whatever stands in the other rows, so that it does
    not matter which episodes are looked at together. In which row it stands can matter: MKL's
    `COMPATIBLE` code sums some rows in another order when their number is no multiple of four. So the
    first observation of each shape is tried in every row.
    """

    def __init__(self, policy: Policy, rows: int):
        """`policy`: in evaluation mode, on its device."""
        self.policy, self.rows = policy, rows
        self.spec, self.processor, self.device = policy.spec, policy.processor, policy.device
        self._tried: set[Hashable] = set()

    def act(self, inputs: Inputs, decoding: str = "argmax") -> Tensor:
        """As `Policy.act`, of at most `rows` observations.

        `UserError` when this device gives an observation another action in another row.
        """
        shape = shape_of(inputs)
        if shape not in self._tried:
            self._try(inputs, decoding)
            self._tried.add(shape)
        count = len(next(iter(inputs.values())))
        return self._act(inputs, [*range(count), *[0] * (self.rows - count)], decoding)[:count]

    def _act(self, inputs: Inputs, chosen: Sequence[int], decoding: str) -> Tensor:
        """The actions of the chosen rows of `inputs`."""
        return self.policy.act({name: t[list(chosen)] for name, t in inputs.items()}, decoding)

    def _try(self, inputs: Inputs, decoding: str) -> None:
        """One observation in all rows, then in the even and in the odd ones among others."""
        both = {name: torch.cat([t[:1], another(t[:1])]) for name, t in inputs.items()}
        copies = self._act(both, [0] * self.rows, decoding)
        wanted, found = _bits(copies[0]), list(copies)
        for first in range(2):
            chosen = [(row + first) % 2 for row in range(self.rows)]
            found += self._act(both, chosen, decoding)[first::2]
        if any(_bits(row) != wanted for row in found):
            raise UserError(
                f"On this device the policy's actions depend on the row of a batch of {self.rows} in "
                "which an observation stands, so that outcomes would depend on which episodes meet.",
                "Set evaluation.batch_size to a multiple of 4, or to 1: one observation at a time.",
            )


def shape_of(inputs: Inputs) -> Hashable:
    """What observations must share to stand in one batch."""
    return tuple((name, t.dtype, t.shape[1:]) for name, t in sorted(inputs.items()))


def another(observation: Tensor) -> Tensor:
    """An observation with other content: numbers and pixels in reverse, the same tokens."""
    if observation.dim() == 1 or observation.dtype in (torch.int64, torch.int32, torch.bool):
        return observation
    return observation.flip(-1)


def _bits(actions: Tensor) -> bytes:
    return actions.cpu().numpy().tobytes()
