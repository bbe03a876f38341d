"""What a sampler gives: training samples as they are in the data, before any policy's processor."""

from typing import NamedTuple

import numpy as np

from vla.data.randomness import POLICY, WORDS, sample_words

NO_WORDS = np.empty((0, WORDS), np.uint64)


class Samples(NamedTuple):
    """One optimiser step's samples.

    `pictures`: uint8 (batch, cameras, 3, size, size); `instructions`: one sentence a sample;
    `state`: float32 (batch, state_dim); `actions`: float32 (batch, chunk, action_dim), both in the
    dataset's units; `valid`: bool (batch, chunk), False beyond the episode's end; `words`: random bits
    of each sample's own, uint64 (batch, 4), for policies that draw (empty where nobody asks).
    """

    pictures: np.ndarray
    instructions: list[str]
    state: np.ndarray
    actions: np.ndarray
    valid: np.ndarray
    words: np.ndarray = NO_WORDS


def observe(
    pictures: np.ndarray, instruction: str, state: np.ndarray, seed: int = 0, step: int = 0
) -> Samples:
    """One observation as a batch of one, without actions: what a policy's processor takes in
    evaluation.

    `pictures`: uint8 (cameras, 3, size, size); `state`: float32 (state_dim,); `seed`, `step`: of the
    episode, on which alone depends what the policy draws.
    """
    return Samples(
        pictures=pictures[None],
        instructions=[instruction],
        state=state[None],
        actions=np.empty((1, 0, 0), np.float32),
        valid=np.empty((1, 0), bool),
        words=sample_words(seed, POLICY, step, 1),
    )
