"""Sums over ranks whose bits depend neither on the number of ranks nor on how parameters are cut."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed.fsdp import FSDPModule

BITS = 29  # of each of the two whole numbers that hold a square: 2^33 of them add up below 2^63
AT_ONCE = 2**24  # numbers whose squares are held, in float64


class TreeReduceScatter:
    """The sum of all ranks' vectors, of which each rank gets its shard; the ranks are a power of two.

    Recursive halving (Thakur et al. 2005, "Optimization of Collective Communication Operations in
    MPICH"): at distances 1, 2, 4, ... a rank swaps with another the shards that are that one's side's,
    and adds what it gets. A sum is a balanced tree over consecutive ranks, as in
    `vla.training.ranks`. Half of what is swapped goes to the nearest rank, little to the farthest.
    """

    def allocate(self, size: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Memory for what goes in and comes out."""
        return torch.empty(*size, dtype=dtype, device=device)

    def __call__(
        self,
        output_tensor: Tensor,
        input_tensor: Tensor,
        group: dist.ProcessGroup,
        op: dist.ReduceOp,
        async_op: bool = False,
    ) -> None:
        rank, count = group.rank(), group.size()
        shards = input_tensor.view(count, -1)
        distance = 1
        while distance < count:
            own = (rank // distance) % 2  # of each two shards, the one that this rank's side keeps
            kept, given = shards[own::2], shards[1 - own :: 2].contiguous()
            got = torch.empty_like(given)
            partner = rank ^ distance
            swap = [
                dist.P2POp(dist.isend, given, group=group, group_peer=partner),
                dist.P2POp(dist.irecv, got, group=group, group_peer=partner),
            ]
            for work in dist.batch_isend_irecv(swap):
                work.wait()
            shards = kept + got
            distance *= 2
        output_tensor.copy_(shards[0])


def add_as_a_tree(policy: FSDPModule) -> None:
    """Have the gradients of a sharded policy added by `TreeReduceScatter`: a sum, not a mean."""
    reduce_scatter = TreeReduceScatter()
    for module in policy.modules():
        if isinstance(module, FSDPModule):
            module.set_custom_reduce_scatter(reduce_scatter)
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)


def total_norm(vector: Tensor) -> Tensor:
    """The norm (L2) of all ranks' float32 vectors together, float32 without dimensions.

    Squares are added as whole numbers, relative to the largest: their order decides no bit. What is lost
    of each is at most 2^-58 of the largest.
    """
    largest = vector.abs().amax() if len(vector) else vector.new_zeros(())
    largest = largest.nan_to_num(torch.inf, torch.inf)  # MAX may pass over NaN
    dist.all_reduce(largest, dist.ReduceOp.MAX)
    exponent = torch.where(largest.isfinite(), largest, 1).frexp().exponent
    scale = 2.0 ** -exponent.double()
    sums = torch.zeros(2, dtype=torch.int64, device=vector.device)
    for part in vector.split(AT_ONCE):
        scaled = (part.double().nan_to_num() * scale).square() * 2**BITS
        whole = scaled.floor()
        rest = ((scaled - whole) * 2**BITS).floor()
        sums += torch.stack([whole.long().sum(), rest.long().sum()])
    dist.all_reduce(sums)
    squares = (sums[0].double() + sums[1].double() * 2.0**-BITS) * 2.0**-BITS
    norm = (squares.sqrt() / scale).float()
    return torch.where(largest.isfinite(), norm, torch.inf)
