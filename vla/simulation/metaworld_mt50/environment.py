"""Meta-World v3 (Yu et al. 2019, arXiv 1910.10897; package metaworld 3.1.1) by the common protocol.

Starts in the package's ranges, goals drawn, the camera that published scores use. Differs from the
package where its environments mislead an evaluation: `reset(seed=...)` decides the initial state
(the package ignores it), and derived positions of the state before a reset are brought up to date.
"""

from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box

from vla.simulation.metaworld_mt50.cameras import CAMERA, POSITION, Pictures
from vla.simulation.metaworld_mt50.packages import ALL_V3_ENVIRONMENTS, ENV_POLICY_MAP, mujoco
from vla.simulation.metaworld_mt50.tasks import known_task
from vla.simulation.protocol import SimulatedTask


class CommonMetaWorld(SimulatedTask):
    """One of the 50 tasks.

    Action: float32 (4,), hand displacement x, y, z and gripper, each in [-1, 1].
    Observation: float32 (4,), hand position x, y, z (m) and gripper opening (0 to 1).
    Ends (`terminated`) on success and (`truncated`) after `max_steps` control steps.
    """

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 80}
    render_mode = "rgb_array"
    action_space = Box(-1, 1, (4,), np.float32)
    observation_space = Box(-np.inf, np.inf, (4,), np.float32)

    def __init__(
        self,
        task: str,
        cameras: tuple[str, ...] = (CAMERA,),
        image_size: int = 480,
        max_steps: int = 500,
        drawing: str = "published",
    ):
        self.task, self.cameras, self.image_size = known_task(task), cameras, image_size
        self.max_steps, self.drawing = max_steps, drawing
        self._env = env = ALL_V3_ENVIRONMENTS[task]()
        env._freeze_rand_vec = False  # draw a start at every reset
        env.seeded_rand_vec = True  # ... from the seeded generator
        env._set_task_called = True
        env._partially_observable = False  # experts see the goal; policies see four numbers
        env.__dict__.pop("sawyer_observation_space", None)  # cached with goals clipped to zero
        # Beyond this many steps (500) the package raises, which would count as a crash.
        env.max_path_length = max(env.max_path_length, max_steps)
        env.model.cam_pos[env.model.camera(CAMERA).id] = POSITION
        self._expert = ENV_POLICY_MAP[task]()
        self._pictures: dict[int, Pictures] = {}

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self._env.seed(seed)
        self._env.reset()
        mujoco.mj_forward(self._env.model, self._env.data)
        self.full_state = self._env._get_obs()
        self.full_state[18:36] = self.full_state[:18]  # the frame before, of an episode that began
        self._steps = 0
        return self._proprioception(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        clipped = np.clip(np.asarray(action, np.float32), -1, 1)
        self.full_state, reward, _, _, info = self._env.step(clipped)
        self._steps += 1
        success = bool(info["success"])
        truncated = not success and self._steps >= self.max_steps
        return self._proprioception(), float(reward), success, truncated, {"success": success}

    def pictures(self, size: int | None = None) -> dict[str, np.ndarray]:
        """The camera's view of the present state: uint8 (size, size, 3), by default image_size."""
        size = size or self.image_size
        if size not in self._pictures:
            self._pictures[size] = Pictures(self._env.model, size, self.drawing)
        return dict.fromkeys(self.cameras, self._pictures[size].take(self._env.data))

    def render(self) -> np.ndarray:
        return next(iter(self.pictures().values()))

    def expert_action(self) -> np.ndarray:
        """What the package's scripted expert does in the present state: float32 (4,)."""
        return np.clip(self._expert.get_action(self.full_state), -1, 1).astype(np.float32)

    def close(self) -> None:
        for pictures in self._pictures.values():
            pictures.close()
        self._pictures.clear()

    def _proprioception(self) -> np.ndarray:
        return self.full_state[:4].astype(np.float32)
