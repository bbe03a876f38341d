"""Demonstrations by the scripted experts, recorded as CALVIN's own recorder does."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.calvin.layout import CAMERAS, SPLITS
from vla.data.calvin.writer import Recording, write_split
from vla.data.episode import Episode
from vla.errors import UserError
from vla.simulation.calvin.card import dataset_card
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.experts import SCRIPTS, Expert
from vla.simulation.calvin.scenes import random_scene
from vla.simulation.calvin.sequences import NEUTRAL
from vla.simulation.calvin.table import Table

__all__ = ["collect_task", "dataset_card", "write_dataset"]

ATTEMPTS = 10  # for each demonstration asked for
WARM_UP_STEPS = 200


@dataclass(frozen=True)
class Demonstration(Episode):
    """An episode with the arrays of CALVIN's frames, and its task."""

    task: str = ""
    recorded: tuple[dict[str, np.ndarray], ...] = ()


def collect_task(config: DemonstrationsConfig[Config], task: str) -> list[Demonstration]:
    """`episodes_per_task` successful episodes, from the first seeds on that give them.

    In every second one another expert has worked before, unrecorded, so that the arm starts where a
    chain leaves it. Scenes are random: the benchmark's initial states are few, fixed and for
    evaluation alone.
    """
    if config.noise:
        raise UserError("CALVIN's experts add no noise to what they do.", "Set noise: 0.")
    table = Table(config.simulator, config.cameras)
    sentences = config.tasks[task].instructions
    episodes: list[Demonstration] = []
    attempts = ATTEMPTS * config.episodes_per_task
    for attempt in range(attempts):
        seed = config.first_seed + attempt
        warm_up = bool(len(episodes) % 2)
        recorded = demonstrate(table, task, seed, warm_up, config)
        if recorded is not None:
            sentence = sentences[len(episodes) % len(sentences)]
            episodes.append(_demonstration(recorded, task, sentence, seed, config.cameras))
        if len(episodes) == config.episodes_per_task:
            table.close()
            return episodes
    raise UserError(
        f"The expert of {task} succeeded only {len(episodes)} times in {attempts} attempts.",
        "Leave the task out; in calvin_env 1431a46 a LED that is on at reset needs two presses.",
    )


def demonstrate(
    table: Table, task: str, seed: int, warm_up: bool, config: DemonstrationsConfig[Config]
) -> list[dict[str, np.ndarray]] | None:
    """What every frame records, or None when the expert does not succeed.

    Played twice: first without pictures, which are dear and then drawn for successes alone.
    """
    if play(table, task, seed, warm_up, config, draw=False) is None:
        return None
    return play(table, task, seed, warm_up, config, draw=True)


def play(
    table: Table,
    task: str,
    seed: int,
    warm_up: bool,
    config: DemonstrationsConfig[Config],
    draw: bool,
) -> list[dict[str, np.ndarray]] | None:
    random = np.random.default_rng([seed, sorted(SCRIPTS).index(task)])
    table.reset(NEUTRAL, random_scene(task, random))
    if warm_up:
        _work_before(table, task, random)
    expert, before = Expert(table, task, random), table.info()
    sizes = dict.fromkeys(config.cameras, config.image_size) if draw else {}
    frames = [_observe(table, sizes)]
    remaining = None
    while (action := expert.act()) is not None and len(frames) <= config.max_steps:
        now = table.step(action)
        frames.append(_observe(table, sizes))
        if remaining is None and table.solves(task, before, now):
            remaining = config.steps_after_success
        if remaining == 0:
            break
        if remaining is not None:
            remaining -= 1
    return None if remaining is None else _with_actions(frames)


def _work_before(table: Table, task: str, random: np.random.Generator) -> None:
    """Another expert works at what leaves the task possible; how far it comes does not matter."""
    others = ("open_drawer", "close_drawer", "move_slider_left", "move_slider_right", "turn_on_led")
    choices = [name for name in others if not _same(name, task)]
    expert = Expert(table, choices[random.integers(len(choices))], random)
    for _ in range(WARM_UP_STEPS):
        action = expert.act()
        if action is None:
            break
        table.step(action)


def _same(one: str, other: str) -> bool:
    """Whether two subtasks act on the same thing."""
    return any(thing in one and thing in other for thing in ("drawer", "slider", "led"))


def _observe(table: Table, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    robot, scene = table.observation()
    pictures = table.draw(sizes)
    return {
        "robot_obs": robot,
        "scene_obs": scene,
        **{CAMERAS[name]: picture for name, picture in pictures.items()},
    }


def _with_actions(frames: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """As CALVIN's renderer writes them: an action is the next frame's pose and gripper action."""
    recorded = []
    for now, following in pairwise(frames):
        action = following["robot_obs"][[0, 1, 2, 3, 4, 5, 14]]
        relative = relative_action(action, now["robot_obs"])
        recorded.append({"actions": action, "rel_actions": relative, **now})
    return recorded


def relative_action(action: np.ndarray, robot: np.ndarray) -> np.ndarray:
    """`rel_actions` of an absolute action: float64 (7,), in units of 2 cm and 0.05 rad, clipped."""
    turn = (action[3:6] - robot[3:6] + np.pi) % (2 * np.pi) - np.pi
    moved = np.concatenate([(action[:3] - robot[:3]) / 0.02, turn / 0.05])
    return np.append(np.clip(moved, -1, 1), action[6])


def _demonstration(
    recorded: list[dict[str, np.ndarray]],
    task: str,
    sentence: str,
    seed: int,
    cameras: tuple[str, ...],
) -> Demonstration:
    return Demonstration(
        frames={name: np.stack([f[CAMERAS[name]] for f in recorded]) for name in cameras},
        state=np.stack([f["robot_obs"] for f in recorded]).astype(np.float32),
        action=np.stack([f["rel_actions"] for f in recorded]).astype(np.float32),
        instruction=sentence,
        seed=seed,
        task=task,
        recorded=tuple(recorded),
    )


def write_dataset(
    folder: Path, episodes: Sequence[Demonstration], config: DemonstrationsConfig[Any]
) -> None:
    """CALVIN's layout. The last demonstration of each task is for validation, where it has several."""
    recordings: dict[str, list[Recording]] = {split: [] for split in SPLITS}
    for task in config.tasks:
        own = [episode for episode in episodes if episode.task == task]
        for number, episode in enumerate(own):
            split = SPLITS[1] if len(own) > 1 and number == len(own) - 1 else SPLITS[0]
            recording = Recording(task, episode.instruction, episode.recorded)
            recordings[split].append(recording)
    number = 0
    for split in SPLITS:
        number = write_split(folder, split, recordings[split], number, config.simulator.scene)
