"""CALVIN's layout on disk: names and arrays of one split (`training` or `validation`).

Format: README of mees/calvin. One `episode_NNNNNNN.npz` a frame (1/30 s); `ep_start_end_ids.npy` and
`ep_lens.npy` say which frames belong together; `lang_annotations/auto_lang_ann.npy` gives windows of
frames a subtask and a sentence.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla.data.calvin.annotations import load_restricted
from vla.errors import UserError

ANNOTATIONS = "lang_annotations/auto_lang_ann.npy"
SPLITS = ("training", "validation")
CAMERAS = {"static": "rgb_static", "gripper": "rgb_gripper"}


@dataclass(frozen=True)
class Window:
    """Frames `first` to `last`, both included, in which a subtask was done as the sentence says."""

    first: int
    last: int
    task: str
    sentence: str

    @property
    def frames(self) -> int:
        return self.last - self.first + 1


def frame_file(split: Path, number: int) -> Path:
    return split / f"episode_{number:07d}.npz"


def split_folder(dataset: Path) -> Path:
    """The split to read: the folder itself where it is one, else its `training`."""
    folder = dataset if (dataset / ANNOTATIONS).is_file() else dataset / SPLITS[0]
    if not (folder / ANNOTATIONS).is_file():
        raise UserError(
            f"{dataset} holds no {ANNOTATIONS}, nor does its folder {SPLITS[0]}.",
            "Give the folder of a CALVIN dataset (task_D_D), or of one of its splits.",
        )
    return folder


def read_windows(split: Path) -> list[Window]:
    """Annotated windows in the order of the file; `UserError` when it does not hold such."""
    path = split / ANNOTATIONS
    try:
        content = load_restricted(path).item()
        sentences, tasks = content["language"]["ann"], content["language"]["task"]
        indices = content["info"]["indx"]
        windows = [
            Window(int(first), int(last), str(task), str(sentence))
            for (first, last), task, sentence in zip(indices, tasks, sentences, strict=True)
        ]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} holds no annotations of CALVIN ({error!r}).", "Fetch the dataset again."
        ) from None
    for window in windows:
        if not 0 <= window.first <= window.last:
            raise UserError(
                f"{path} names the frames {window.first} to {window.last}.",
                "The dataset is damaged: fetch it again.",
            )
    return windows


def read_frame(split: Path, number: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Some arrays of a frame; `UserError` when it has none of that name, or no such file."""
    path = frame_file(split, number)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except KeyError as error:
        raise UserError(
            f"{path} has no array {error.args[0]}.",
            "Choose cameras and actions that the dataset holds.",
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read: {error}", "The dataset is damaged: fetch it again."
        ) from None
