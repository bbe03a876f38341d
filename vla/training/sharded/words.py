"""What ranks say to each other around the computation, over Gloo."""

import signal
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import distributed as dist

from vla.errors import UserError

Result = TypeVar("Result")
CPU = torch.device("cpu")


def tell(name: str, **arguments: Any) -> None:
    """Rank 0's word to the others, who `hear` it."""
    dist.broadcast_object_list([(name, arguments)], 0, device=CPU)


def hear() -> tuple[str, dict[str, Any]]:
    word: list[Any] = [None]
    dist.broadcast_object_list(word, 0, device=CPU)
    return word[0]


def any_signal(own: str | None) -> str | None:
    """The name of a signal that came to one of the ranks, on all of them."""
    number = torch.tensor([signal.Signals[own] if own else 0])
    dist.all_reduce(number, dist.ReduceOp.MAX)
    return signal.Signals(number.item()).name if number.item() else None


def on_every_rank(work: Callable[[], Result]) -> list[Result]:
    """What `work` gives on each rank, on all of them; raised on all is what it raises on one."""
    try:
        outcome: Any = work()
    except (UserError, OSError) as error:
        outcome = error
    outcomes: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(outcomes, outcome)
    for found in outcomes:
        if isinstance(found, Exception):
            raise found
    return outcomes
