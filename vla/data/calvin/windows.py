"""Annotated windows of a split in CALVIN's layout as episodes; what its readers share."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from vla.data.calvin.layout import (
    CAMERAS,
    Window,
    read_frame,
    read_windows,
    split_folder,
)
from vla.data.episode import Episode
from vla.data.formats.protocol import DatasetReader, Task
from vla.data.pictures import average
from vla.errors import UserError


class WindowReader(DatasetReader):
    """One episode a window; frames without a sentence are not read.

    State: `robot_obs`, float32 (steps, 15), whether the files hold float32 or float64. Pictures of all
    cameras come in one size, that of the smallest: larger ones are averaged down, as the simulator
    does in evaluation.
    """

    actions: ClassVar[str]

    def __init__(self, folder: Path):
        self.folder = split_folder(folder)
        self.windows = read_windows(self.folder)

    def tasks(self) -> list[Task]:
        sentences: dict[str, dict[str, None]] = {}
        for window in self.windows:
            sentences.setdefault(window.task, {})[window.sentence] = None
        return [Task(name, tuple(sentences[name])) for name in sorted(sentences)]

    def lengths(self) -> list[int]:
        return [window.frames for window in self.windows]

    def read(self, cameras: tuple[str, ...], episodes: range | None = None) -> Iterator[Episode]:
        for camera in cameras:
            if camera not in CAMERAS:
                raise UserError(
                    f"{self.folder} has no camera {camera!r}.",
                    f"Set data.cameras to some of: {', '.join(CAMERAS)}.",
                )
        chosen = range(len(self.windows)) if episodes is None else episodes
        for number in chosen:
            yield self._episode(self.windows[number], cameras)

    def _episode(self, window: Window, cameras: tuple[str, ...]) -> Episode:
        names = ("robot_obs", self.actions, *(CAMERAS[camera] for camera in cameras))
        frames = [
            read_frame(self.folder, number, names)
            for number in range(window.first, window.last + 1)
        ]
        arrays = {name: np.stack([frame[name] for frame in frames]) for name in names}
        size = min(arrays[CAMERAS[camera]].shape[1] for camera in cameras)
        return Episode(
            frames={camera: average(arrays[CAMERAS[camera]], size) for camera in cameras},
            state=arrays["robot_obs"].astype(np.float32),
            action=arrays[self.actions].astype(np.float32),
            instruction=window.sentence,
        )
