"""What a reader of a dataset's layout gives. `vla/data/formats/<name>/reader.py` holds a `Reader`.

Beside it may lie a `shape.py`, for what is estimated before the data is read: `FILES`, paths in the
dataset of the small files that describe it, and `stated_shape(contents, camera)`, which makes a
`Shape` of their bytes (None where they do not tell). It runs where no package of the reader is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vla.data.episode import Episode


@dataclass(frozen=True)
class Task:
    """One task: its name in the simulator, the sentences demonstrations carry, those kept for evaluation."""

    name: str
    instructions: tuple[str, ...]
    held_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """Sizes that a dataset states before its data is read, for estimates; `frames`: control steps."""

    frames: int
    picture: tuple[int, int]  # height, width (pixels)
    state_dim: int
    action_dim: int


class DatasetReader(ABC):
    """A dataset on disk. Opening it reads what describes it, and a `UserError` says what is wrong."""

    @abstractmethod
    def __init__(self, folder: Path): ...

    @abstractmethod
    def tasks(self) -> list[Task]:
        """Every task, in a fixed order."""

    @abstractmethod
    def lengths(self) -> list[int]:
        """Control steps of each episode, in the order in which `read` gives them."""

    @abstractmethod
    def read(self, cameras: tuple[str, ...], episodes: range | None = None) -> Iterator[Episode]:
        """Some episodes, or all, in order, with the frames of the named cameras."""
