"""Pictures made smaller, by the same arithmetic wherever it is done."""

import numpy as np


def average(pictures: np.ndarray, size: int) -> np.ndarray:
    """Square pictures at another size by area averaging: uint8 (n, height, width, 3) to (n, size, size, 3).

    Each new pixel is the mean of the area that it covers, rounded; pictures of that size are
    returned as they are. In float64 and one order, so that a picture gives the same bytes on every
    machine, alone or among others.
    """
    height, width = pictures.shape[1:3]
    if (height, width) == (size, size):
        return pictures
    # Not a matrix product: BLAS sums in an order of its own.
    rows = _along(pictures.astype(np.float64), height, size, 1)
    return np.rint(_along(rows, width, size, 2)).astype(np.uint8)


def _along(values: np.ndarray, old: int, new: int, axis: int) -> np.ndarray:
    """Means over `new` equal parts of an axis of length `old`."""
    edges = np.linspace(0, old, new + 1)
    whole = np.moveaxis(values, axis, 0)
    sums = np.concatenate([np.zeros_like(whole[:1]), np.cumsum(whole, 0)])
    below = np.minimum(edges.astype(int), old - 1)
    inside = (edges - below).reshape(-1, *[1] * (whole.ndim - 1))
    upto = sums[below] + inside * whole[below]
    return np.moveaxis(np.diff(upto, axis=0) / (old / new), 0, axis)
