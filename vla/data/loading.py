"""Batches made ahead of training, so that a fast device does not wait for them."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Batch = TypeVar("Batch")

AHEAD = 2  # batches a worker


def batches(make: Callable[[int], Batch], steps: range, workers: int) -> Iterator[Batch]:
    """The batches of `steps`, in order: the same for any number of workers, as each is a function
    of its step alone: `make(step)`.

    `make`: the batch of a step; called in threads. `workers`: threads that make them ahead (NumPy
    lets go of the interpreter's lock while it copies and computes); with none, each is made when it
    is asked for. What goes wrong in a thread is raised when its batch is asked for.
    """
    if not workers:
        yield from map(make, steps)
        return
    pool = ThreadPoolExecutor(workers, "loader")
    pending: deque[Future[Batch]] = deque()
    try:
        for step in steps:
            pending.append(pool.submit(make, step))
            if len(pending) > AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
