"""A reader plug-in of episodes that are made up: as many and as large as `sizes.json` says."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vla.data.episode import Episode
from vla.data.formats.protocol import DatasetReader, Task

SIZE = 16  # pixels, where `sizes.json` says nothing else


class Reader(DatasetReader):
    """Noise, the same each time."""

    def __init__(self, folder: Path):
        self.sizes = json.loads((folder / "sizes.json").read_text())

    def tasks(self) -> list[Task]:
        return [Task("push", ("push it", "shove it"))]

    def lengths(self) -> list[int]:
        return [self.sizes["steps"]] * self.sizes["episodes"]

    def read(self, cameras: tuple[str, ...], episodes: range | None = None) -> Iterator[Episode]:
        steps, size = self.sizes["steps"], self.sizes.get("pixels", SIZE)
        for number in episodes if episodes is not None else range(self.sizes["episodes"]):
            random = np.random.default_rng(number)
            yield Episode(
                frames={
                    camera: random.integers(0, 256, (steps, size, size, 3), np.uint8)
                    for camera in cameras
                },
                state=random.random((steps, 4), np.float32),
                action=random.random((steps, 4), np.float32),
                instruction="push it",
            )
