"""LIBERO as a simulator of this project."""

from vla.errors import UserError
from vla.simulation import protocol
from vla.simulation.libero.config import Config
from vla.simulation.libero.environment import LiberoTask
from vla.simulation.libero.pictures import SETTINGS
from vla.simulation.libero.suites import HORIZONS, episode_seed
from vla.simulation.mujoco_gl import describe_renderer


class Simulator(protocol.Simulator):
    """One suite of LIBERO, by the protocol that `settings` asks for."""

    settings: Config

    def __init__(self, settings: Config):
        super().__init__(settings)
        self.cameras = tuple(settings.cameras)

    def seed(self, task: str, first_seed: int, episode: int) -> int:
        settings = self.settings
        reuse = settings.reuse_initial_states
        return episode_seed(settings.suite, task, first_seed, episode, reuse)

    def make(
        self, task: str, cameras: tuple[str, ...], image_size: int, max_steps: int
    ) -> LiberoTask:
        horizon = HORIZONS[self.settings.suite]
        if self.settings.protocol == "published" and max_steps != horizon:
            raise UserError(
                f"evaluation.max_steps is {max_steps}: published scores of {self.settings.suite} are "
                f"for {horizon} control steps.",
                f"Set it to {horizon}, or evaluation.simulator.protocol: own.",
            )
        return LiberoTask(task, cameras, image_size, max_steps, self.settings)

    def renderer(self) -> dict[str, str]:
        return describe_renderer(SETTINGS[self.settings.pictures])
