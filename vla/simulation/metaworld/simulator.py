"""Meta-World as a simulator of this project."""

from vla.simulation import protocol
from vla.simulation.metaworld.cameras import CAMERAS, renderer_description
from vla.simulation.metaworld.config import Config
from vla.simulation.metaworld.environment import MetaWorldEnv, task_seed


class Simulator(protocol.Simulator):
    """Meta-World v3 with the objects' range of starts that `settings` asks for."""

    settings: Config
    cameras = tuple(CAMERAS)

    def seed(self, task: str, first_seed: int, episode: int) -> int:
        return task_seed(task, first_seed, episode)

    def make(
        self, task: str, cameras: tuple[str, ...], image_size: int, max_steps: int
    ) -> MetaWorldEnv:
        return MetaWorldEnv(task, cameras, image_size, self.settings.object_range_x, max_steps)

    def renderer(self) -> dict[str, str]:
        return renderer_description()
