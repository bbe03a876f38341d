"""Processes that train one policy side by side, to the bits that one process alone would give.

A step's batch is cut into `training.micro_batches` parts of consecutive samples, and each process (rank)
has as many of them, in order. Gradients are added pairwise, as in a balanced tree: first those of a
rank's own parts, then those of ranks, each of which swaps its sum with the rank at distance 1, 2, 4, ...
(recursive doubling: Thakur et al. 2005, "Optimization of Collective Communication Operations in
MPICH"). The tree is the same for any number of ranks, and a + b is b + a in floating point: so every
rank has the same sum, and their number decides no bit. Every rank then takes the same step.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True)
class Ranks:
    """`rank` of `count` processes, a power of two; of several, the process group has been joined."""

    rank: int = 0
    count: int = 1

    def parts(self, micro_batches: int) -> range:
        """Those of a step's parts that are this rank's."""
        share = micro_batches // self.count
        return range(self.rank * share, (self.rank + 1) * share)

    def total(self, vector: Tensor) -> Tensor:
        """The sum of all ranks' vectors, the same bits on each."""
        distance = 1
        while distance < self.count:
            partner, theirs = self.rank ^ distance, torch.empty_like(vector)
            swap = [
                dist.P2POp(dist.isend, vector, partner),
                dist.P2POp(dist.irecv, theirs, partner),
            ]
            for work in dist.batch_isend_irecv(swap):
                work.wait()
            vector = vector + theirs
            distance *= 2
        return vector


def pairwise_sum(vectors: Iterable[Tensor]) -> Tensor:
    """The sum of as many vectors as a power of two, added as in a balanced tree.

    They are taken one by one: of n vectors at most log2(n) + 1 are held.
    """
    sums: list[tuple[int, Tensor]] = []  # (how many, their sum)
    for vector in vectors:
        size = 1
        while sums and sums[-1][0] == size:
            vector = sums.pop()[1] + vector
            size *= 2
        sums.append((size, vector))
    ((_, total),) = sums
    return total
