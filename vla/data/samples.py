"""What a sampler gives: training samples as they are in the data, before any policy's processor."""

from typing import NamedTuple

import numpy as np


class Samples(NamedTuple):
    """One optimiser step's samples.

    `pictures`: uint8 (batch, cameras, 3, size, size); `instructions`: one sentence a sample;
    `state`: float32 (batch, state_dim); `actions`: float32 (batch, chunk, action_dim), both in the
    dataset's units; `valid`: bool (batch, chunk), False beyond the episode's end.
    """

    pictures: np.ndarray
    instructions: list[str]
    state: np.ndarray
    actions: np.ndarray
    valid: np.ndarray


def observe(pictures: np.ndarray, instruction: str, state: np.ndarray) -> Samples:
    """One observation as a batch of one, without actions: what a policy's processor takes in
    evaluation.

    `pictures`: uint8 (cameras, 3, size, size); `state`: float32 (state_dim,).
    """
    return Samples(
        pictures=pictures[None],
        instructions=[instruction],
        state=state[None],
        actions=np.empty((1, 0, 0), np.float32),
        valid=np.empty((1, 0), bool),
    )
