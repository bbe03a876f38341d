"""One LIBERO task for Gymnasium, by the protocol that published scores were measured with.

An episode begins in one of the task's fixed initial states, which `reset(seed=...)` chooses, then
waits until objects have settled. Differs from the package's environment where that lets one episode
depend on those before: the fixtures' places, which no initial state holds, are drawn from the number
of the initial state (the package draws on from one seed a task), and the gripper's command starts at
rest although the model is not compiled anew.
"""

from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box

from vla.errors import UserError
from vla.simulation.libero.config import Config
from vla.simulation.libero.packages import (
    file_of,
    robosuite_environment,
    robosuite_observables,
    robosuite_transforms,
)
from vla.simulation.libero.pictures import Moment, Pictures
from vla.simulation.libero.suites import SEEDS_PER_TASK, find_task, initial_states
from vla.simulation.protocol import SimulatedTask

CONTROL_RATE = 20  # Hz
NO_MOTION = np.array([0, 0, 0, 0, 0, 0, -1], np.float32)  # and the gripper open
PROPRIOCEPTION = ("robot0_eef_pos", "robot0_eef_quat", "robot0_gripper_qpos")


class LiberoTask(SimulatedTask):
    """One task of a suite.

    Action: float32 (7,): displacement x, y, z and rotation (axis-angle) of the hand for robosuite's
    OSC_POSE controller, each in [-1, 1], and the gripper, of which the sign alone counts: -1 opens,
    +1 closes. Observation: float32 (8,): the hand's position x, y, z (m), its orientation as
    axis-angle (rad), the two fingers' positions (m), as robosuite samples them.
    Ends (`terminated`) on success and (`truncated`) after `max_steps` control steps, not counting
    those in which objects settle.
    """

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": CONTROL_RATE}
    render_mode = "rgb_array"
    action_space = Box(-1, 1, (7,), np.float32)
    observation_space = Box(-np.inf, np.inf, (8,), np.float32)

    def __init__(
        self, task: str, cameras: tuple[str, ...], image_size: int, max_steps: int, settings: Config
    ):
        self.task, self.cameras, self.image_size = task, cameras, image_size
        self.max_steps, self.settings = max_steps, settings
        found = find_task(settings.suite, task)
        self.instruction = found.language
        self._states = initial_states(settings.suite, found.name)
        with _Seeded(0):
            self._env = robosuite_environment()(
                bddl_file_name=str(file_of("bddl_files", found.problem_folder, found.bddl_file)),
                use_camera_obs=False,
                has_offscreen_renderer=False,  # `Pictures` draws
                hard_reset=False,  # compiling the model takes 100 times as long as a reset
                ignore_done=True,  # `max_steps` ends episodes
                control_freq=CONTROL_RATE,
            )
        self._model = self._env.sim.model._model
        if self._states.shape[1] != 1 + self._model.nq + self._model.nv:
            raise UserError(
                f"The initial states of {found.name} have {self._states.shape[1]} numbers, its model "
                f"needs {1 + self._model.nq + self._model.nv}.",
                "Install LIBERO again: its parts are of different versions.",
            )
        self._moment = Moment(self._model)
        self._observe_only_what_is_used()
        self._pictures: dict[int, Pictures] = {}

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is None:
            seed = int(self.np_random.integers(len(self._states)))
        number = seed % SEEDS_PER_TASK % len(self._states)
        with _Seeded(number):
            self._env.reset()
        for robot in self._env.robots:
            robot.gripper.current_action = np.zeros(robot.gripper.dof)
        observation = self._env.set_init_state(self._states[number])
        for _ in range(self.settings.settle_steps):
            observation, _, _, _ = self._env.step(NO_MOTION)
        self._steps = 0
        return _proprioception(observation), {"initial_state": number}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        clipped = np.clip(np.asarray(action, np.float32), -1, 1)
        observation, reward, success, _ = self._env.step(clipped)
        self._steps += 1
        success = bool(success)
        truncated = not success and self._steps >= self.max_steps
        state = _proprioception(observation)
        return state, float(reward), success, truncated, {"success": success}

    def pictures(self, size: int | None = None) -> dict[str, np.ndarray]:
        """Each camera's view as the package samples it: uint8 (size, size, 3)."""
        size = size or self.image_size
        if size not in self._pictures:
            chosen = {name: self.settings.cameras[name] for name in self.cameras}
            settings = self.settings
            self._pictures[size] = Pictures(
                self._model, chosen, size, settings.pictures, settings.rotate_pictures
            )
        return self._pictures[size].take(self._moment)

    def render(self) -> np.ndarray:
        return next(iter(self.pictures().values()))

    def close(self) -> None:
        for pictures in self._pictures.values():
            pictures.close()
        self._pictures.clear()
        self._env.close()

    def _observe_only_what_is_used(self) -> None:
        """Leave out the package's other sensors, and note the moment that its cameras would draw.

        robosuite samples a sensor once a control step, at a moment between physics steps that follows
        from its clock: one sensor more on that clock finds the same moment.
        """
        environment = self._env.env
        sensors = environment._observables
        for name in [name for name in sensors if name not in PROPRIOCEPTION]:
            del sensors[name]
        observables = robosuite_observables()

        @observables.sensor(modality="moment")
        def moment(cache: dict) -> np.ndarray:
            self._moment.note(environment.sim.data._data)
            return np.zeros(1)

        sensors["moment"] = observables.Observable("moment", moment, sampling_rate=CONTROL_RATE)


class _Seeded:
    """NumPy's global generator, from which LIBERO draws, at a seed; as it was before afterwards."""

    def __init__(self, seed: int):
        self.seed = seed

    def __enter__(self) -> None:
        self.before = np.random.get_state()
        np.random.seed(self.seed)

    def __exit__(self, *error: object) -> None:
        np.random.set_state(self.before)


def _proprioception(observation: dict[str, np.ndarray]) -> np.ndarray:
    position, orientation, fingers = (observation[name] for name in PROPRIOCEPTION)
    axis_angle = robosuite_transforms().quat2axisangle(orientation)
    return np.concatenate([position, axis_angle, fingers]).astype(np.float32)
