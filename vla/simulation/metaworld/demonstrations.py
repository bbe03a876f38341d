"""Collect demonstrations from Meta-World's scripted experts."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.episode import Episode
from vla.data.formats.lerobot_v3.writer import write_dataset
from vla.errors import UserError
from vla.process.progress import Progress
from vla.simulation.metaworld.environment import SEEDS_PER_TASK, MetaWorldEnv, task_seed

DIMENSIONS = {
    "observation.state": ["hand_x_m", "hand_y_m", "hand_z_m", "gripper_opening"],
    "action": ["hand_dx", "hand_dy", "hand_dz", "gripper"],
}


def collect(config: DemonstrationsConfig, folder: Path, processes: int = 1) -> int:
    """Write a LeRobotDataset of `config`'s demonstrations to `folder`; returns its frames.

    States and actions depend on the configuration and the versions of Meta-World and MuJoCo
    alone, not on the number of processes.
    """
    context = multiprocessing.get_context("spawn")  # OpenGL contexts do not survive a fork
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        progress = Progress("collect", len(config.tasks), "task")
        by_task = []
        for episodes_of_task in pool.map(partial(collect_task, config), config.tasks):
            by_task.append(episodes_of_task)
            progress.update()
    episodes = [episode for task in by_task for episode in task]
    write_dataset(folder, episodes, sentence_table(config), config.fps, DIMENSIONS)
    return sum(len(episode.action) for episode in episodes)


def collect_task(config: DemonstrationsConfig, task: str) -> list[Episode]:
    env = MetaWorldEnv(task, config.cameras, config.image_size, config.object_range_x)
    sentences = config.tasks[task].instructions
    episodes: list[Episode] = []
    for attempt in range(SEEDS_PER_TASK):
        seed = task_seed(task, config.first_seed, attempt)
        noise = config.noise if len(episodes) % 2 else 0.0
        sentence = sentences[len(episodes) % len(sentences)]
        episode = demonstrate(env, seed, noise, sentence, config)
        if episode is not None:
            episodes.append(episode)
        if len(episodes) == config.episodes_per_task:
            env.close()
            return episodes
    raise UserError(
        f"The expert of {task} succeeded only {len(episodes)} times in {SEEDS_PER_TASK} attempts.",
        "Ask for fewer episodes, less noise or a smaller object_range_x.",
    )


def demonstrate(
    env: MetaWorldEnv, seed: int, noise: float, sentence: str, config: DemonstrationsConfig
) -> Episode | None:
    """One episode of the expert, or None when it does not succeed.

    Noise is added to what is executed, not to the recorded label, so that the data shows how to
    come back from states a perfect expert never visits (DART, Laskey et al. 2017).
    """
    generator = np.random.default_rng(seed)
    state, _ = env.reset(seed=seed)
    frames: dict[str, list] = {camera: [] for camera in config.cameras}
    states, actions, remaining = [], [], None
    for _ in range(config.max_steps):
        action = env.expert_action()
        for camera, picture in env.pictures().items():
            frames[camera].append(picture)
        states.append(state)
        actions.append(action)
        executed = action.copy()
        executed[:3] += noise * generator.standard_normal(3)
        state, _, success, _, _ = env.step(executed)
        if remaining is None and success:
            remaining = config.steps_after_success
        if remaining == 0:
            break
        if remaining is not None:
            remaining -= 1
    if remaining is None:
        return None
    return Episode(
        frames={camera: np.stack(pictures) for camera, pictures in frames.items()},
        state=np.stack(states),
        action=np.stack(actions),
        instruction=sentence,
        seed=seed,
    )


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
