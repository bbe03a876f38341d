"""`config/demonstrations.yaml`: which demonstrations `snakemake collect_demonstrations` collects."""

from typing import Annotated, Generic

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from vla.config.base import Section
from vla.config.evaluation import DEFAULT_SIMULATOR, Simulated

Sentences = Annotated[tuple[str, ...], Field(min_length=1)]


class TaskInstructions(Section):
    """How one task is put into words."""

    instructions: Sentences
    """Paraphrases that demonstrations carry, in turn."""
    held_out: tuple[str, ...] = ()
    """Paraphrases kept for evaluation; no demonstration carries them."""


class DemonstrationsConfig(Section, Generic[Simulated]):
    """Demonstrations by a simulator's scripted experts."""

    simulator: Simulated = Field(default={"type": DEFAULT_SIMULATOR}, validate_default=True)
    """Which simulator, and its settings."""
    tasks: dict[str, TaskInstructions] = Field(min_length=1)
    """The simulator's task -> its sentences."""
    episodes_per_task: PositiveInt = 25
    """Successful episodes kept a task."""
    first_seed: NonNegativeInt = 1_000_000
    """Seed of the first initial state, the same for every task."""
    noise: NonNegativeFloat = 0.3
    """Standard deviation of the noise on the executed hand displacement in every second episode; labels stay clean."""
    max_steps: PositiveInt = 200
    """Episodes that do not succeed in this many control steps are dropped."""
    steps_after_success: NonNegativeInt = 6
    """Control steps recorded after success."""
    cameras: tuple[str, ...] = Field(default=("side",), min_length=1)
    """Cameras recorded."""
    image_size: PositiveInt = 64
    """Height and width (pixels)."""
    fps: PositiveInt = 20
    """Frames a second stated in the dataset: the simulator's control rate (Hz)."""
