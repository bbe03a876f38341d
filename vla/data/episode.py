"""What every reader gives and every writer takes: one demonstration."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Episode:
    """One demonstration.

    `frames[camera]`: uint8 (steps, height, width, 3); `state`: float32 (steps, state_dim);
    `action`: float32 (steps, action_dim); `instruction`: the sentence it was collected under;
    `seed`: seed of the initial state, or -1 when the dataset does not say.
    """

    frames: dict[str, np.ndarray]
    state: np.ndarray
    action: np.ndarray
    instruction: str
    seed: int = -1
