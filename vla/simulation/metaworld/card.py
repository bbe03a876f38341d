"""The dataset card that a collected dataset carries."""

import importlib.metadata

from vla.config.demonstrations import DemonstrationsConfig
from vla.simulation.metaworld.cameras import renderer_description
from vla.simulation.metaworld.config import Config

CARD = """---
license: mit
task_categories: [robotics]
tags: [LeRobot, Meta-World, simulation]
configs:
- config_name: default
  data_files: data/*/*.parquet
---

# Meta-World demonstrations: {count} tasks, {episodes} episodes

- **Version**: 2.0.0
- **Format**: LeRobotDataset v3.0; pictures as lossless H.264 (RGB, qp 0): every pixel comes back.
- **Source**: scripted experts of Meta-World {metaworld} (Farama Foundation, MIT licence) on MuJoCo {mujoco}.
- **Licence**: MIT.
- **Size**: {frames} control steps at {fps} Hz; cameras {cameras}, {size} x {size} pixels.
- **Renderer**: {renderer}.

## How it was made

`snakemake collect_demonstrations`, from the tasks and settings of `config/demonstrations.yaml`:

- Objects start within +-{range} m along x.
- Every second episode has Gaussian noise (standard deviation {noise}) on the executed hand
  displacement; the recorded action is the expert's clean one. Episodes end {after} steps after
  success; those without success in {max_steps} steps are not kept.
- Same seeds and versions give the same states and actions.

## Tasks, instructions, seeds

Each demonstration carries one of its task's instructions, in turn. Held-out sentences belong to no
demonstration; they are there for evaluation. Initial states are drawn from seed {first_seed} on, one
by one, the same for every task, until {per_task} episodes have succeeded: where two tasks' scenes look
alike, no picture tells the task. Every episode's seed is in `meta/episodes`.

| Task | Instructions | Held out |
|---|---|---|
{rows}

## Columns

`observation.state`: hand position x, y, z (m) and gripper opening (0 to 1). `action`: hand
displacement x, y, z and gripper effort, each in [-1, 1]. `meta/tasks.parquet` has two columns more
than the format asks for: `task` (name in Meta-World) and `held_out`; `meta/episodes` has `seed`.
"""


def dataset_card(config: DemonstrationsConfig[Config], frames: int) -> str:
    """The dataset's README, every figure from what was collected."""
    renderer = renderer_description()
    rows = [
        f"| {task} | {'; '.join(words.instructions)} | {'; '.join(words.held_out)} |"
        for task, words in config.tasks.items()
    ]
    return CARD.format(
        count=len(config.tasks),
        episodes=len(config.tasks) * config.episodes_per_task,
        per_task=config.episodes_per_task,
        first_seed=config.first_seed,
        metaworld=importlib.metadata.version("metaworld"),
        mujoco=importlib.metadata.version("mujoco"),
        frames=frames,
        fps=config.fps,
        cameras=", ".join(config.cameras),
        size=config.image_size,
        renderer=f"{renderer['renderer']}, {renderer['version']} ({renderer['settings']})",
        range=config.simulator.object_range_x,
        noise=config.noise,
        after=config.steps_after_success,
        max_steps=config.max_steps,
        rows="\n".join(rows),
    )
