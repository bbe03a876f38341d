"""A chain of subtasks for Gymnasium: the official loop, with pictures drawn only when asked."""

from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box

from vla.simulation.calvin.config import Config
from vla.simulation.calvin.sequences import NEUTRAL, scene_of, sequences
from vla.simulation.calvin.table import Table
from vla.simulation.protocol import CHAIN, SimulatedTask


class Chain(SimulatedTask):
    """Every chain of the benchmark; `reset(seed=n)` begins the n-th.

    Action: float32 (7,), relative (displacement of the target pose in units of 2 cm and 0.05 rad) or
    absolute (position in m, Euler angles in rad), and the gripper, open from 0 on.
    Observation: `robot_obs`, float32 (15,). `terminated` when the task oracle finds the subtask done,
    `truncated` after `max_steps` of one subtask (official: 360).
    """

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 30}
    render_mode = "rgb_array"
    task = CHAIN
    action_space = Box(-np.inf, np.inf, (7,), np.float32)
    observation_space = Box(-np.inf, np.inf, (15,), np.float32)

    def __init__(
        self, settings: Config, cameras: tuple[str, ...], image_size: int, max_steps: int = 360
    ):
        self.table = Table(settings, cameras)
        self.cameras, self.image_size, self.max_steps = cameras, image_size, max_steps

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin chain `seed`, by default the first; its first subtask is at work."""
        super().reset(seed=seed)
        self.sequence = sequences()[seed or 0]
        self.table.reset(NEUTRAL, scene_of(self.sequence.state))
        return self.begin(self.sequence.subtasks[0]), {}

    def begin(self, subtask: str) -> np.ndarray:
        self.subtask, self.steps = subtask, 0
        self._before = self.table.info()
        return self._state()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        now = self.table.step(action)
        self.steps += 1
        success = self.table.solves(self.subtask, self._before, now)
        truncated = not success and self.steps >= self.max_steps
        return self._state(), float(success), success, truncated, {"success": success}

    def pictures(self, size: int | None = None) -> dict[str, np.ndarray]:
        return self.table.draw(dict.fromkeys(self.cameras, size or self.image_size))

    def render(self) -> np.ndarray:
        return self.pictures()[self.cameras[0]]

    def close(self) -> None:
        self.table.close()

    def _state(self) -> np.ndarray:
        return self.table.observation()[0].astype(np.float32)
