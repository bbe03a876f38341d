"""Demonstrations by Meta-World's scripted experts."""

import numpy as np

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.episode import Episode
from vla.errors import UserError
from vla.simulation.metaworld.card import dataset_card
from vla.simulation.metaworld.config import Config
from vla.simulation.metaworld.environment import SEEDS_PER_TASK, MetaWorldEnv

__all__ = ["DIMENSIONS", "ROBOT", "collect_task", "dataset_card"]

ROBOT = "sawyer"

DIMENSIONS = {
    "observation.state": ["hand_x_m", "hand_y_m", "hand_z_m", "gripper_opening"],
    "action": ["hand_dx", "hand_dy", "hand_dz", "gripper"],
}


def collect_task(config: DemonstrationsConfig[Config], task: str) -> list[Episode]:
    """`episodes_per_task` successful episodes, from the first seeds on that give them.

    The seeds are the same for every task: where scenes look alike (the two faucets), no picture must
    tell the task, or a policy learns to look for that rather than to heed its instruction.
    """
    env = MetaWorldEnv(task, config.cameras, config.image_size, config.simulator.object_range_x)
    sentences = config.tasks[task].instructions
    episodes: list[Episode] = []
    for attempt in range(SEEDS_PER_TASK):
        seed = config.first_seed + attempt
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
    env: MetaWorldEnv, seed: int, noise: float, sentence: str, config: DemonstrationsConfig[Config]
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
