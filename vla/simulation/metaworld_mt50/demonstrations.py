"""Demonstrations by Meta-World's scripted experts, from the common protocol's starts and camera."""

import importlib.metadata

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.episode import Episode
from vla.simulation.experts import demonstrate_task
from vla.simulation.metaworld_mt50.cameras import CAMERA, POSITION, SETTINGS
from vla.simulation.metaworld_mt50.config import Config
from vla.simulation.metaworld_mt50.environment import CommonMetaWorld
from vla.simulation.metaworld_mt50.tasks import task_seed
from vla.simulation.mujoco_gl import describe_renderer

__all__ = ["DIMENSIONS", "ROBOT", "collect_task", "dataset_card"]

ROBOT = "sawyer"
DIMENSIONS = {
    "observation.state": ["hand_x_m", "hand_y_m", "hand_z_m", "gripper_opening"],
    "action": ["hand_dx", "hand_dy", "hand_dz", "gripper"],
}
CARD = """---
license: mit
task_categories: [robotics]
tags: [LeRobot, Meta-World, simulation]
configs:
- config_name: default
  data_files: data/*/*.parquet
---

# Meta-World demonstrations by the common protocol: {count} tasks, {episodes} episodes

- **Version**: 1.0.0
- **Format**: LeRobotDataset v3.0; pictures as lossless H.264 (RGB, qp 0).
- **Source**: scripted experts of Meta-World {metaworld} (Farama Foundation, MIT licence) on MuJoCo {mujoco}.
- **Licence**: MIT.
- **Size**: {frames} control steps; camera {camera} at {position} m, {size} x {size} pixels.
- **Renderer**: {renderer}.

Starts are drawn from the package's own ranges, from seed {first_seed} on, each task in a block of its
own; goals are drawn. Every second episode has Gaussian noise (standard deviation {noise}) on the executed
hand displacement; the recorded action is the expert's clean one. Episodes end {after} steps after success;
those without success in {max_steps} steps are not kept.

| Task | Instructions | Held out |
|---|---|---|
{rows}

`observation.state`: hand position x, y, z (m) and gripper opening (0 to 1). `action`: hand displacement
x, y, z and gripper effort, each in [-1, 1].
"""


def collect_task(config: DemonstrationsConfig[Config], task: str) -> list[Episode]:
    """`episodes_per_task` successful episodes, from the first of the task's seeds on that give them."""
    env = CommonMetaWorld(
        task, config.cameras, config.image_size, config.max_steps, config.simulator.pictures
    )
    first = task_seed(task, config.first_seed, 0)
    last = task_seed(task, config.first_seed, 999)
    episodes = demonstrate_task(env, config, range(first, last + 1))
    env.close()
    return episodes


def dataset_card(config: DemonstrationsConfig[Config], frames: int) -> str:
    """The dataset's README, every figure from what was collected."""
    renderer = describe_renderer(SETTINGS[config.simulator.pictures])
    rows = [
        f"| {task} | {'; '.join(words.instructions)} | {'; '.join(words.held_out)} |"
        for task, words in config.tasks.items()
    ]
    return CARD.format(
        count=len(config.tasks),
        episodes=len(config.tasks) * config.episodes_per_task,
        metaworld=importlib.metadata.version("metaworld"),
        mujoco=importlib.metadata.version("mujoco"),
        frames=frames,
        camera=CAMERA,
        position=", ".join(map(str, POSITION)),
        size=config.image_size,
        renderer=f"{renderer['renderer']}, {renderer['version']} ({renderer['settings']})",
        first_seed=config.first_seed,
        noise=config.noise,
        after=config.steps_after_success,
        max_steps=config.max_steps,
        rows="\n".join(rows),
    )
