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
