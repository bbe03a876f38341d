"""Moments and ranges of states and actions, put together from episodes in a fixed order."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

import numpy as np

from vla.data.spec import DataSpec

SMALLEST_STD = 1e-4  # added, so that a dimension that never moves can be divided by it


@dataclass(frozen=True)
class Statistics:
    """Of all frames, one value a dimension, in the dataset's units.

    `spread`: sum of squared differences from the mean.
    """

    frames: int
    state_mean: tuple[float, ...]
    state_spread: tuple[float, ...]
    action_low: tuple[float, ...]
    action_high: tuple[float, ...]

    @classmethod
    def of(cls, state: np.ndarray, action: np.ndarray) -> "Statistics":
        """Of `state` (frames, state_dim) and `action` (frames, action_dim), computed in float64."""
        state, action = state.astype(np.float64), action.astype(np.float64)
        mean = state.mean(0)
        return cls(
            len(state),
            tuple(mean.tolist()),
            tuple(np.square(state - mean).sum(0).tolist()),
            tuple(action.min(0).tolist()),
            tuple(action.max(0).tolist()),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Statistics":
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in content.items()})

    def spec(self, cameras: tuple[str, ...], image_size: int, sentences: Iterable[str]) -> DataSpec:
        """What these fix about a policy, with what else the data does."""
        std = np.sqrt(np.divide(self.state_spread, self.frames)) + SMALLEST_STD
        low, high = np.array(self.action_low), np.array(self.action_high)
        high = np.where(high > low, high, low + 1)  # a dimension that never moves
        return DataSpec(
            cameras=cameras,
            image_size=image_size,
            sentences=tuple(sentences),
            state_mean=self.state_mean,
            state_std=tuple(std.tolist()),
            action_low=self.action_low,
            action_high=tuple(high.tolist()),
        )


def merge(parts: Iterable[Statistics]) -> Statistics:
    """Of all parts together, in their order: the same bits for any number of processes.

    Means and spreads are merged pairwise (Chan, Golub, LeVeque 1979, "Updating formulae and a
    pairwise algorithm for computing sample variances"), which loses nothing where a mean is large.
    """
    return reduce(_merge, parts)


def _merge(one: Statistics, other: Statistics) -> Statistics:
    frames = one.frames + other.frames
    mean, spread = np.array(one.state_mean), np.array(one.state_spread)
    difference = other.state_mean - mean
    mean = mean + difference * (other.frames / frames)
    spread = (
        spread + other.state_spread + np.square(difference) * one.frames * other.frames / frames
    )
    return Statistics(
        frames,
        tuple(mean.tolist()),
        tuple(spread.tolist()),
        tuple(map(min, one.action_low, other.action_low)),
        tuple(map(max, one.action_high, other.action_high)),
    )


def pool(specs: tuple[DataSpec, ...], shares: tuple[float, ...]) -> DataSpec:
    """Of samples that come from several datasets, each with its share (they add up to 1)."""
    means = np.array([spec.state_mean for spec in specs])
    variances = np.square([spec.state_std for spec in specs])
    weights = np.array(shares)[:, None]
    mean = (weights * means).sum(0)
    variance = (weights * (variances + np.square(means - mean))).sum(0)
    sentences = dict.fromkeys(sentence for spec in specs for sentence in spec.sentences)
    return DataSpec(
        cameras=specs[0].cameras,
        image_size=specs[0].image_size,
        sentences=tuple(sentences),
        state_mean=tuple(mean.tolist()),
        state_std=tuple(np.sqrt(variance).tolist()),
        action_low=tuple(np.min([spec.action_low for spec in specs], 0).tolist()),
        action_high=tuple(np.max([spec.action_high for spec in specs], 0).tolist()),
    )
