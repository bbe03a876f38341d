"""`evaluation`: episodes in simulation."""

from typing import Generic, Literal, TypeVar

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from vla.config.base import Section

Condition = Literal["instructed", "held_out", "no_instruction"]
DEFAULT_SIMULATOR = "metaworld"


class SimulatorSection(Section):
    """Which simulator, and its settings. Each simulator extends it."""

    type: str
    """Simulator: a folder of `vla/simulation/`, of `plugins/simulators/` or of an installed package."""


Simulated = TypeVar("Simulated", bound=SimulatorSection)


class EvaluationSection(Section, Generic[Simulated]):
    """Episodes in simulation."""

    simulator: Simulated = Field(default={"type": DEFAULT_SIMULATOR}, validate_default=True)
    """Which simulator, and its settings."""
    tasks: tuple[str, ...] | None = None
    """Task names; by default those of the dataset."""
    conditions: tuple[Condition, ...] = Field(default=("instructed",), min_length=1)
    """How the policy is told what to do: `instructed` (sentences of the training data), `held_out` (paraphrases never trained on), `no_instruction` (the same weights, the instruction hidden: what language is worth)."""
    episodes_per_task: PositiveInt = 25
    """Episodes a task."""
    first_seed: NonNegativeInt = 5_000_000
    """Seed of the first episode; each task gets its own block of seeds, none used by a demonstration."""
    max_steps: PositiveInt = 150
    """Longest episode (control steps)."""
    execute_steps: PositiveInt = 8
    """Actions of a chunk that are executed before the policy looks again (control steps)."""
    batch_size: PositiveInt = 1
    """Observations that the policy acts on at once. 1: each process that runs episodes has the policy to itself. More, a multiple of 4: one process has it for all (docs/exactness.md), which a GPU wants."""
    decoding: Literal["argmax", "expectation"] = "argmax"
    """How the discrete head's bins become an action: the likeliest bin, or the mean over bins."""
    videos_per_task: NonNegativeInt = 1
    """Episodes a task that are filmed: failures first, then successes."""

    @field_validator("tasks")
    @classmethod
    def _distinct_tasks(cls, tasks: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if tasks is not None and len(set(tasks)) != len(tasks):
            raise ValueError("each task may be named once")
        return tasks

    @field_validator("conditions")
    @classmethod
    def _distinct(cls, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        if len(set(conditions)) != len(conditions):
            raise ValueError("each condition may be named once")
        if "instructed" not in conditions:
            raise ValueError("`instructed` is what targets and comparisons refer to: name it too")
        return conditions
