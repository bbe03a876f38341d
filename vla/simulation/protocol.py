"""What a simulator is. `vla/simulation/<name>/` holds `config.py` and `simulator.py`.

`config.py`: `Config`, the `evaluation.simulator` section; `ENVIRONMENT`, the kind of locked environment
it runs in; `DISTRIBUTIONS`, the distributions whose versions decide what it does; `INSTALL`, where
`make setup` does not bring them, the command that does. It is imported when plans are made, where the
simulator may not be installed.
`simulator.py`: `Simulator`, below. `demonstrations.py`, where there are scripted experts: see
`vla/simulation/collecting.py`.
`outside.py`, where something decides results that is neither in this repository nor in the environment,
such as a checkout of the user's. It imports no simulator and has

- `identity(settings)`: what a key says of that, known where plans are made: name -> version or hash;
- `check(settings, use_conda)`: what was found, in words; `UserError` when a job could not run with it.
  Under `use_conda` jobs have packages of their own, and those that are here say nothing;

and, where `make setup` does not bring packages that keys name, `PACKAGES`: their versions.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import gymnasium
import numpy as np

from vla.config.evaluation import SimulatorSection
from vla.errors import UserError

CHAIN = "chain"  # the task of an episode that is a chain of subtasks


@dataclass(frozen=True)
class Subtask:
    """One link of a chain, and the sentence in which its benchmark asks for it."""

    task: str
    instruction: str


class SimulatedTask(gymnasium.Env):
    """One task after Gymnasium's conventions. `reset(seed=...)` alone decides the initial state.

    Actions and observations (proprioception) are float32, in the units of the training data. `step`
    ends with `terminated` on success and with `truncated` after the longest episode;
    `info["success"]` says which.
    """

    task: str
    cameras: tuple[str, ...]

    def begin(self, subtask: str) -> np.ndarray:
        """Of a chain: go on with a subtask from the present state, which is returned.

        `step` then ends with that subtask. Each counts its own steps.
        """
        raise NotImplementedError

    def pictures(self, size: int | None = None) -> dict[str, np.ndarray]:
        """Each camera's view of the present state: uint8 (size, size, 3); by default as trained."""
        raise NotImplementedError


class Simulator(ABC):
    """A simulator with its settings. `cameras`: names of those that its tasks can be seen with."""

    cameras: tuple[str, ...]

    def __init__(self, settings: SimulatorSection):
        self.settings = settings

    @abstractmethod
    def seed(self, task: str, first_seed: int, episode: int) -> int:
        """Seed of an episode, no other task's; `UserError` for an unknown task or too many episodes."""

    def chains(self) -> tuple[tuple[Subtask, ...], ...]:
        """The chains that a benchmark evaluates, in its order; none where an episode is one task.

        Its episodes are these: each has the task `CHAIN` and its number as seed.
        """
        return ()

    @abstractmethod
    def make(
        self, task: str, cameras: tuple[str, ...], image_size: int, max_steps: int
    ) -> SimulatedTask:
        """One task, seen with `cameras`; `image_size` in pixels, `max_steps` in control steps."""

    @abstractmethod
    def renderer(self) -> dict[str, str]:
        """What draws the pictures, for the record: `renderer`, `version` and what else matters."""

    def check_cameras(self, cameras: tuple[str, ...]) -> None:
        """`UserError` that names the simulator's cameras, when one of `cameras` is none of them."""
        for name in cameras:
            if name not in self.cameras:
                raise UserError(
                    f"The simulator has no camera {name!r}.",
                    f"Take some of: {', '.join(self.cameras)}.",
                )
