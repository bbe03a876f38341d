"""Meta-World v3 tasks (Yu et al. 2019, arXiv 1910.10897; package metaworld 3.1.1) for Gymnasium.

Differs from the package's own environments where these mislead an evaluation: `reset(seed=...)`
decides the initial state (the package ignores it), goals that a picture would give away are not
drawn, goals in the scripted expert's observation are not clipped to zero, and objects start in a
wider range, since in the stock range a policy that sees nothing succeeds in most episodes.
"""

import hashlib
from functools import cache
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box

from vla.errors import UserError
from vla.simulation.metaworld.cameras import Pictures
from vla.simulation.metaworld.packages import ALL_V3_ENVIRONMENTS, ENV_POLICY_MAP, mujoco
from vla.simulation.protocol import SimulatedTask

SEEDS_PER_TASK = 1000
# Tasks whose goal marker shows where the object has to go, which only the instruction should say.
GOAL_TELLS_TASK = ("faucet", "window", "drawer", "door")


def task_seed(task: str, first_seed: int, episode: int) -> int:
    """Seed of an episode: every task draws from a block of its own.

    At equal seed Meta-World draws the same normalised start in every task, so that equal seeds
    would make tasks' outcomes depend on each other. `UserError` for an unknown task, and beyond the
    block.
    """
    if episode >= SEEDS_PER_TASK:
        raise UserError(
            f"Meta-World has no seed for episode {episode + 1} of {task}.",
            f"A task has {SEEDS_PER_TASK} seeds: set episodes_per_task to at most that many.",
        )
    return first_seed + SEEDS_PER_TASK * _blocks()[known_task(task)] + episode


def known_task(task: str) -> str:
    """`task` itself; a `UserError` when Meta-World does not have it."""
    if task not in ALL_V3_ENVIRONMENTS:
        raise UserError(
            f"Meta-World has no task {task!r}.",
            f"Take some of: {', '.join(sorted(ALL_V3_ENVIRONMENTS))}.",
        )
    return task


@cache
def _blocks() -> dict[str, int]:
    """A block for every task: by the hash of its name, or the next free one."""
    blocks: dict[str, int] = {}
    for task in sorted(ALL_V3_ENVIRONMENTS):
        block = int(hashlib.sha256(task.encode()).hexdigest(), 16) % 1000
        while block in blocks.values():
            block = (block + 1) % 1000
        blocks[task] = block
    return blocks


class MetaWorldEnv(SimulatedTask):
    """One Meta-World task.

    Action: float32 (4,), hand displacement x, y, z and gripper, each in [-1, 1].
    Observation: float32 (4,), hand position x, y, z (m) and gripper opening (0 to 1).
    `full_state`: all that the package says of the present state, as its experts see it: float64 (39,).
    Pictures: `pictures()` draws them when asked, since a policy that executes chunks looks rarely.
    Ends (`terminated`) on success and (`truncated`) after `max_steps` control steps.
    """

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 20}
    render_mode = "rgb_array"
    action_space = Box(-1, 1, (4,), np.float32)
    observation_space = Box(-np.inf, np.inf, (4,), np.float32)

    def __init__(
        self,
        task: str,
        cameras: tuple[str, ...] = ("side",),
        image_size: int = 64,
        object_range_x: float = 0.2,
        max_steps: int = 150,
    ):
        self.task, self.max_steps = known_task(task), max_steps
        self._env = env = ALL_V3_ENVIRONMENTS[task]()
        env._freeze_rand_vec = False  # draw a start at every reset
        env.seeded_rand_vec = True  # ... from the seeded generator
        env._set_task_called = True
        env._partially_observable = False
        # Beyond this many steps (500) the package raises, which would count as a crash.
        env.max_path_length = max(env.max_path_length, max_steps)
        env.__dict__.pop("sawyer_observation_space", None)  # cached with goals clipped to zero
        space = env._random_reset_space
        low, high = space.low.copy(), space.high.copy()
        low[0], high[0] = -object_range_x, object_range_x
        env._random_reset_space = Box(low, high, dtype=np.float64)
        self._expert = ENV_POLICY_MAP[task]()
        self.cameras, self.image_size = cameras, image_size
        self._pictures: dict[int, Pictures] = {}

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self._env.seed(seed)
        self._env.reset()
        # The package's reset leaves derived positions of the state before: bring them up to date.
        mujoco.mj_forward(self._env.model, self._env.data)
        self.full_state = self._env._get_obs()
        self.full_state[18:36] = self.full_state[
            :18
        ]  # the previous frame of an episode that just began
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
        """Each camera's view of the present state: uint8 (size, size, 3), by default image_size."""
        size = size or self.image_size
        if size not in self._pictures:
            self._pictures[size] = Pictures(
                self._env.model, self.cameras, size, self._hidden_sites()
            )
        return self._pictures[size].take(self._env.data)

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

    def _hidden_sites(self) -> set[str]:
        model = self._env.model
        names = {model.site(number).name for number in range(model.nsite)}
        if self.task.startswith(GOAL_TELLS_TASK):
            return names
        return {name for name in names if not name.startswith("goal")}
