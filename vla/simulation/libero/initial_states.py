"""Read LIBERO's fixed initial states without executing anything that a file holds."""

import pickle
from pathlib import Path

import numpy as np

from vla.errors import UserError


def read_initial_states(path: Path) -> np.ndarray:
    """float64 (states, 1 + positions + velocities): time (s), then MuJoCo's qpos and qvel.

    `path`: LIBERO's `TASK.pruned_init`, a pickle that PyTorch wrote; where the package ships it as
    `TASK.pruned_init.npz` instead, that is read. `UserError` when there is neither, or when the file
    holds anything but one table of numbers.
    """
    archive = path.with_name(f"{path.name}.npz")
    chosen = archive if archive.is_file() else path
    if not chosen.is_file():
        raise UserError(f"There are no initial states at {path}.", "Install LIBERO again.")
    try:
        states = _read_archive(chosen) if chosen == archive else _read_pickle(chosen)
        states = np.asarray(states)
        if states.ndim != 2 or states.dtype != np.float64 or not len(states):
            raise ValueError(f"{states.dtype} {states.shape} is no table of float64")
    except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise UserError(
            f"{chosen} holds no initial states that can be read safely: {str(error).splitlines()[0]}",
            "Install LIBERO again, and trust no such file from elsewhere.",
        ) from None
    return states


def _read_archive(path: Path) -> np.ndarray:
    with np.load(path, allow_pickle=False) as content:
        return content["states"]


def _read_pickle(path: Path) -> np.ndarray:
    """With PyTorch's restricted unpickler, which knows the names that arrays need and no other."""
    import torch
    from numpy._core.multiarray import _reconstruct

    names = [
        (_reconstruct, "numpy.core.multiarray._reconstruct"),  # as NumPy 1 called it
        (_reconstruct, "numpy._core.multiarray._reconstruct"),
        np.ndarray,
        np.dtype,
        type(np.dtype(np.float64)),
    ]
    with torch.serialization.safe_globals(names):
        return torch.load(path, map_location="cpu", weights_only=True)
