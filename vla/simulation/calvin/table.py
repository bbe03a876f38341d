"""CALVIN's table in the user's checkout: reset, step, pictures, and what the task oracle says."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from vla.data.pictures import average
from vla.simulation.calvin.checkout import configuration, import_checkout
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.outside import checkout, require_packages

CAMERAS = ("static", "gripper")


class Table:
    """The simulated table. One a process: calvin_env speaks of one physics client in places.

    `robot_obs`: float64 (15,), position of the tool (m), its Euler angles (rad), opening of the
    gripper (m), seven joints (rad), last gripper action; `scene_obs`: float64 (24,), see `scene_of`.
    """

    def __init__(self, settings: Config, cameras: tuple[str, ...] = CAMERAS):
        require_packages()
        folder = checkout(settings)
        self.settings = settings
        self.simulation = _simulation(folder, settings, cameras)
        self.native = {camera.name: camera.width for camera in self.simulation.cameras}

    def reset(self, robot: np.ndarray, scene: np.ndarray) -> None:
        """Begin from a state. What `clean` makes depends on nothing that ran before."""
        simulation = self.simulation
        if self.settings.reset == "clean":
            # CALVIN's own reset keeps the last gripper action and Bullet's caches of contacts, so
            # that the same chain after another ends differently.
            simulation.seed(0)
            simulation.scene.np_random = simulation.np_random
            simulation.load()
            simulation.robot.gripper_action = 1
        simulation.reset(robot_obs=np.array(robot), scene_obs=np.array(scene))

    def step(self, action: np.ndarray) -> dict[str, Any]:
        """One control step (1/30 s): float (7,); returns what `solves` compares.

        The gripper opens at 0 and above, and closes below: CALVIN takes only 1 and -1.
        """
        moved = np.array(action, np.float64)  # a copy: 1431a46 scales it in place
        gripper = 1 if moved[6] >= 0 else -1
        if self.settings.actions == "absolute":
            info = self.simulation.step((moved[:3], moved[3:6], gripper))[3]
        else:
            moved[6] = gripper
            info = self.simulation.step(moved)[3]
        return info

    def info(self) -> dict[str, Any]:
        """The present state as the oracle sees it."""
        return self.simulation.get_info()

    def solves(self, subtask: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
        """Whether CALVIN's oracle says that `subtask` was done between two states."""
        return bool(self.simulation.oracle.get_task_info_for_set(before, now, {subtask}))

    def observation(self) -> tuple[np.ndarray, np.ndarray]:
        """`robot_obs` and `scene_obs`."""
        state = self.simulation.get_state_obs()
        return state["robot_obs"], state["scene_obs"]

    def draw(self, sizes: dict[str, int]) -> dict[str, np.ndarray]:
        """Pictures of some cameras: name -> height and width (pixels); uint8 (size, size, 3)."""
        return {
            camera.name: self._picture(camera, sizes[camera.name])
            for camera in self.simulation.cameras
            if camera.name in sizes
        }

    def _picture(self, camera: Any, size: int) -> np.ndarray:
        direct = self.settings.pictures == "direct"
        camera.width = camera.height = size if direct else self.native[camera.name]
        picture = np.array(camera.render()[0])  # a copy: it is a view of a larger buffer
        return average(picture[None], size)[0]

    def close(self) -> None:
        simulation = self.simulation
        if simulation.cid >= 0:
            with contextlib.redirect_stdout(io.StringIO()):
                simulation.close()
            simulation.cid = -1


def _simulation(folder: Path, settings: Config, cameras: tuple[str, ...]) -> Any:
    """calvin_env's environment, that draws only when asked, with its task oracle."""
    import hydra

    module = import_checkout(folder)

    class OnDemand(module.PlayTableSimEnv):
        def get_camera_obs(self) -> tuple[dict, dict]:
            return {}, {}

        def close(self) -> None:
            if self.cid >= 0:
                super().close()

    egl = settings.renderer == "EGL"
    whole = configuration(folder, settings.scene, cameras, egl)
    asked = {name: value for name, value in whole.env.items() if not name.startswith("_")}
    simulation = OnDemand(**asked)
    simulation.oracle = hydra.utils.instantiate(whole.tasks)
    if egl:
        for camera in simulation.cameras:
            camera.render()  # the first EGL pictures of a process have no shadows
    return simulation
