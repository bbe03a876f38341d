"""CALVIN as a simulator of this project."""

import importlib.metadata

from vla.errors import UserError
from vla.simulation import protocol
from vla.simulation.calvin.chain import Chain
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.outside import checkout, commit_of, content_of, require_packages
from vla.simulation.calvin.sequences import sequences
from vla.simulation.calvin.subtasks import SUBTASKS
from vla.simulation.calvin.table import CAMERAS
from vla.simulation.protocol import Subtask


class Simulator(protocol.Simulator):
    """The table, and the first of CALVIN's chains, as many as `settings` asks for."""

    settings: Config
    cameras = CAMERAS

    def __init__(self, settings: Config):
        """`UserError` when the checkout or a package is missing or another."""
        super().__init__(settings)
        require_packages()
        self._folder = checkout(settings)

    def seed(self, task: str, first_seed: int, episode: int) -> int:
        raise UserError(
            f"CALVIN evaluates chains, whose seeds are their numbers; {task!r} has none.",
            "Set evaluation.simulator.chains for how many are run.",
        )

    def chains(self) -> tuple[tuple[Subtask, ...], ...]:
        return tuple(
            tuple(Subtask(name, SUBTASKS[name].sentence) for name in sequence.subtasks)
            for sequence in sequences()[: self.settings.chains]
        )

    def make(self, task: str, cameras: tuple[str, ...], image_size: int, max_steps: int) -> Chain:
        return Chain(self.settings, cameras, image_size, max_steps)

    def renderer(self) -> dict[str, str]:
        version = f"pybullet {importlib.metadata.version('pybullet')}"
        commit = commit_of(self._folder)
        return {
            "renderer": f"{self.settings.renderer}, {version}, calvin_env {commit}",
            "version": version,
            "calvin_env": commit,
            "content": content_of(self._folder),
            "reset": self.settings.reset,
            "pictures": self.settings.pictures,
        }
