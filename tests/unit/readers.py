"""A reader that makes episodes up, for tests that need no files; processes import it by its name."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vla.data.episode import Episode
from vla.data.formats.protocol import DatasetReader, Task

LENGTHS = (5, 9, 2, 14, 7, 3, 11, 6)


class MadeUp(DatasetReader):
    """Eight episodes of noise with 8 by 8 pixels from two cameras."""

    def __init__(self, folder: Path):
        self.folder = folder

    def tasks(self) -> list[Task]:
        return [Task("open", ("open it", "pull it"), ("tear it",)), Task("close", ("close it",))]

    def lengths(self) -> list[int]:
        return list(LENGTHS)

    def read(self, cameras: tuple[str, ...], episodes: range | None = None) -> Iterator[Episode]:
        for number in episodes or range(len(LENGTHS)):
            yield self.episode(number, cameras)

    def episode(self, number: int, cameras: tuple[str, ...]) -> Episode:
        random, length = np.random.default_rng(number), LENGTHS[number]
        return Episode(
            frames={
                camera: random.integers(0, 256, (length, 8, 8, 3), np.uint8)
                for camera in ("side", "top")
                if camera in cameras
            },
            state=(1000 + random.normal(size=(length, 3))).astype(np.float32),
            action=random.normal(size=(length, 2)).astype(np.float32),
            instruction=("open it", "close it", "pull it")[number % 3],
            seed=100 - number,
        )


class Diverging(MadeUp):
    """One state is no number."""

    def episode(self, number: int, cameras: tuple[str, ...]) -> Episode:
        episode = super().episode(number, cameras)
        if number == 3:
            episode.state[1, 0] = np.nan
        return episode


class Lying(MadeUp):
    """States fewer frames than there are."""

    def lengths(self) -> list[int]:
        return [LENGTHS[0] - 1, *LENGTHS[1:]]


class HoldingOut(MadeUp):
    """A demonstration carries a sentence that is held out."""

    def tasks(self) -> list[Task]:
        return [Task("open", ("open it",), ("pull it",)), Task("close", ("close it",))]


class Wide(MadeUp):
    """Pictures are not square."""

    def episode(self, number: int, cameras: tuple[str, ...]) -> Episode:
        episode = super().episode(number, cameras)
        for camera in cameras:
            episode.frames[camera] = episode.frames[camera][:, :4]
        return episode
