"""Meta-World's 50 tasks by the common protocol, as a simulator of this project."""

from vla.errors import UserError
from vla.simulation import protocol
from vla.simulation.metaworld_mt50.cameras import CAMERA, SETTINGS
from vla.simulation.metaworld_mt50.config import Config
from vla.simulation.metaworld_mt50.environment import CommonMetaWorld
from vla.simulation.metaworld_mt50.tasks import task_seed
from vla.simulation.mujoco_gl import describe_renderer

HORIZON = 500  # control steps, as the package's max_path_length


class Simulator(protocol.Simulator):
    """The 50 tasks, by the protocol that `settings` asks for."""

    settings: Config
    cameras = (CAMERA,)

    def seed(self, task: str, first_seed: int, episode: int) -> int:
        return task_seed(task, first_seed, episode)

    def make(
        self, task: str, cameras: tuple[str, ...], image_size: int, max_steps: int
    ) -> CommonMetaWorld:
        if self.settings.protocol == "common" and max_steps != HORIZON:
            raise UserError(
                f"evaluation.max_steps is {max_steps}: published scores on Meta-World's 50 tasks are "
                f"for {HORIZON} control steps.",
                f"Set it to {HORIZON}, or evaluation.simulator.protocol: own.",
            )
        return CommonMetaWorld(task, cameras, image_size, max_steps, self.settings.pictures)

    def renderer(self) -> dict[str, str]:
        return describe_renderer(SETTINGS[self.settings.pictures])
