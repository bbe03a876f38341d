"""A policy cut into shards by PyTorch's FSDP2 (`torch.distributed.fsdp.fully_shard`).

Zhao et al. 2023 (arXiv 2304.11277) describe the method: between steps each rank holds one shard of every
parameter (a slice of its first dimension); a block's whole parameters are there while it is computed.
"""

from collections.abc import Callable, Iterator

import torch
from torch import distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    MixedPrecisionPolicy,
    fully_shard,
    register_fsdp_forward_method,
)

from vla.policies.protocol import Policy
from vla.training.sharded.places import Place
from vla.training.sharded.tree import add_as_a_tree


def shard(
    build: Callable[[], Policy], device: torch.device, precision: str, place: Place
) -> Policy:
    """`build()` on every rank, cut into shards on `device`, ready for `loss`.

    The ranks of a node build one after another, so that its memory holds one whole policy, not one each.
    `precision`: with `bf16`, parameters are gathered as bfloat16; shards and sums of gradients stay
    float32.
    """
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    mixed = MixedPrecisionPolicy(cast_forward_inputs=False)  # autocast chooses by operation
    if precision == "bf16":
        mixed = MixedPrecisionPolicy(torch.bfloat16, torch.float32, cast_forward_inputs=False)
    for turn in range(place.beside):
        if turn == place.local:
            policy = build().train()
            for block, is_last in blocks(policy):
                fully_shard(block, mesh=mesh, reshard_after_forward=not is_last, mp_policy=mixed)
            fully_shard(policy, mesh=mesh, mp_policy=mixed)
        dist.barrier()
    register_fsdp_forward_method(policy, "loss")
    add_as_a_tree(policy)
    return policy


def blocks(policy: nn.Module) -> Iterator[tuple[nn.Module, bool]]:
    """What is gathered by itself: the outermost elements of every list of modules (transformer blocks),
    and whether each is the last of its list.

    The last one stays whole between forward and backward pass: it is needed first, and where only its
    keys and values are read (vla/policies/flow), FSDP2 does not see that it is needed.
    """
    for child in policy.children():
        if isinstance(child, nn.ModuleList):
            yield from ((block, block is child[-1]) for block in child)
        else:
            yield from blocks(child)
