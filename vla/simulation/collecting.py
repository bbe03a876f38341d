"""Collect demonstrations from a simulator's scripted experts.

A simulator that has experts says so with a module `demonstrations.py`:

- `collect_task(config, task)`: the list of one task's episodes, decided by `config` alone;
- `dataset_card(config, frames)`: the dataset's README, `frames` the number of control steps;
- `write_dataset(folder, episodes, config)`: writes them in the simulator's own layout; without it they
  become a LeRobotDataset, which asks for the two below;
- `DIMENSIONS`: names of the dimensions of `observation.state` and `action`; `ROBOT`: the robot's name.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from types import ModuleType
from typing import Any

import pandas as pd

from vla.config.demonstrations import DemonstrationsConfig
from vla.config.evaluation import SimulatorSection
from vla.data.episode import Episode
from vla.errors import UserError
from vla.plugins import find_plugin
from vla.process.progress import Progress
from vla.simulation.finding import load_simulator


def find_experts(settings: SimulatorSection) -> ModuleType:
    """The simulator's module `demonstrations`; `UserError` when it has none."""
    plugin = find_plugin("simulators", settings.type)
    if not (plugin.folder / "demonstrations.py").is_file():
        raise UserError(
            f"The simulator {settings.type} has no scripted experts.",
            f"Name another in config/demonstrations.yaml, or add {plugin.folder}/demonstrations.py.",
        )
    return plugin.load("demonstrations")


def collect(config: DemonstrationsConfig, processes: int = 1) -> list[Episode]:
    """Every task's demonstrations, in the order of `config.tasks`.

    States and actions depend on the configuration and the versions of the simulator alone, not on
    the number of processes. `UserError` for an unknown task or camera.
    """
    load_simulator(config.simulator).check_cameras(config.cameras)
    # Classes that Pydantic makes of generic ones cannot be pickled: the content can.
    collect_one = partial(_collect_task, type(config.simulator), config.model_dump(mode="json"))
    context = multiprocessing.get_context("spawn")  # OpenGL contexts do not survive a fork
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        progress = Progress("collect", len(config.tasks), "task")
        episodes: list[Episode] = []
        for episodes_of_task in pool.map(collect_one, config.tasks):
            episodes += episodes_of_task
            progress.update()
    return episodes


def _collect_task(
    settings: type[SimulatorSection], content: dict[str, Any], task: str
) -> list[Episode]:
    config = DemonstrationsConfig[settings].model_validate(content)
    return find_experts(config.simulator).collect_task(config, task)


def sentence_table(config: DemonstrationsConfig) -> pd.DataFrame:
    """LeRobot's `tasks.parquet` with two more columns: the simulator's task and `held_out`."""
    rows = [
        (sentence, task, held_out)
        for task, words in config.tasks.items()
        for held_out, sentences in ((False, words.instructions), (True, words.held_out))
        for sentence in sentences
    ]
    table = pd.DataFrame(rows, columns=["sentence", "task", "held_out"]).set_index("sentence")
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise UserError(f"The sentence {twice!r} stands twice.", "Give each sentence one task.")
    table.index.name = None
    table.insert(0, "task_index", range(len(table)))
    return table
