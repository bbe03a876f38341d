"""Demonstrations by Meta-World's scripted experts."""

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.episode import Episode
from vla.simulation.experts import demonstrate_task
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
    seeds = range(config.first_seed, config.first_seed + SEEDS_PER_TASK)
    episodes = demonstrate_task(env, config, seeds)
    env.close()
    return episodes
