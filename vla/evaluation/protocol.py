"""Which episodes an evaluation runs: task, instruction and seed of each."""

from dataclasses import dataclass
from typing import Any

from vla.config.evaluation import EvaluationSection
from vla.errors import UserError
from vla.simulation.metaworld.environment import SEEDS_PER_TASK, task_seed


@dataclass(frozen=True)
class EpisodePlan:
    """One episode before it is run. `instruction` is what the policy is told ('' when hidden)."""

    task: str
    episode: int
    seed: int
    instruction: str


def plan_episodes(
    config: EvaluationSection,
    condition: str,
    tasks: tuple[dict[str, Any], ...],
    demonstration_seeds: tuple[int, ...],
) -> list[EpisodePlan]:
    """Episodes in order, every task with the same number.

    `tasks`, `demonstration_seeds`: those of the training data. `UserError` when a seed was used
    by a demonstration, or when the data has no sentence for a task.
    """
    known = {task["name"]: task for task in tasks}
    chosen = config.tasks or tuple(known)
    plans = []
    for name in chosen:
        if name not in known:
            raise UserError(
                f"evaluation.tasks names {name!r}, which the training data does not hold.",
                f"Take some of: {', '.join(known)}.",
            )
        sentences = _sentences(known[name], condition)
        plans += [
            EpisodePlan(
                name,
                episode,
                task_seed(name, config.first_seed, episode),
                sentences[episode % len(sentences)],
            )
            for episode in range(config.episodes_per_task)
        ]
    _check_seeds(config, plans, demonstration_seeds)
    return plans


def _sentences(task: dict[str, Any], condition: str) -> list[str]:
    if condition == "no_instruction":
        return [""]
    sentences = task["held_out" if condition == "held_out" else "instructions"]
    if not sentences:
        raise UserError(
            f"The data holds no held-out sentence for {task['name']}.",
            "Drop `held_out` from evaluation.conditions.",
        )
    return sentences


def _check_seeds(
    config: EvaluationSection, plans: list[EpisodePlan], demonstration_seeds: tuple[int, ...]
) -> None:
    if config.episodes_per_task > SEEDS_PER_TASK:
        raise UserError(
            f"evaluation.episodes_per_task is {config.episodes_per_task}.",
            f"A task has {SEEDS_PER_TASK} seeds: ask for at most that many.",
        )
    shared = {plan.seed for plan in plans} & set(demonstration_seeds)
    if shared:
        raise UserError(
            f"{len(shared)} evaluation seeds were used by demonstrations, such as {min(shared)}.",
            "Set evaluation.first_seed to a range that the data does not use.",
        )
