"""The card of a collected dataset."""

from vla.config.demonstrations import DemonstrationsConfig
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.outside import PACKAGES, checkout, commit_of

CARD = """# CALVIN, scripted: {count} subtasks, {episodes} demonstrations

**Scripted data**: demonstrations by programs that read the simulator's state, not CALVIN's play by
people. A score on it is no score on CALVIN's data.

- **Format**: CALVIN's own layout; one demonstration is one episode with one annotated window.
- **Source**: scripted experts in calvin_env {commit}, pybullet {pybullet}, scene {scene}.
- **Size**: {frames} frames of 1/30 s; pictures {cameras}, {size} x {size} pixels, drawn by {renderer}.
- **Differs from CALVIN's data**: smaller pictures, no depth, no tactile pictures, no sentence
  embeddings; the arm starts at the neutral pose, or (every second one) where another script left it.

Initial scenes are random, from seed {first_seed} on, and none of the benchmark's. Sentences are none of the
benchmark's validation sentences. The last demonstration of each subtask is in `validation`.

| Subtask | Sentences |
|---|---|
{rows}
"""


def dataset_card(config: DemonstrationsConfig[Config], frames: int) -> str:
    """The dataset's README, every figure from what was collected."""
    rows = [f"| {task} | {'; '.join(words.instructions)} |" for task, words in config.tasks.items()]
    return CARD.format(
        count=len(config.tasks),
        episodes=len(config.tasks) * config.episodes_per_task,
        commit=commit_of(checkout(config.simulator)),
        pybullet=PACKAGES["pybullet"],
        scene=config.simulator.scene,
        frames=frames,
        cameras=" and ".join(config.cameras),
        size=config.image_size,
        renderer=config.simulator.renderer,
        first_seed=config.first_seed,
        rows="\n".join(rows),
    )
