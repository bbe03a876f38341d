"""Which episodes an evaluation runs, and what one gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vla.config.evaluation import EvaluationSection
from vla.errors import UserError
from vla.simulation.protocol import CHAIN, Simulator, Subtask


@dataclass(frozen=True)
class EpisodePlan:
    """One episode before it is run. `instruction` is what the policy is told ('' when hidden).

    `chain`: the subtasks of an episode that is a chain, each with what the policy is told.
    """

    task: str
    episode: int
    seed: int
    instruction: str
    chain: tuple[Subtask, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that the policy may be told."""
        return tuple(subtask.instruction for subtask in self.chain) or (self.instruction,)


@dataclass(frozen=True)
class EpisodeResult:
    """What one episode gave.

    `outcome`: 'success', 'failure', or 'crash' when the simulator or the policy raised `error`; a
    chain is a success when every subtask is. `steps`: control steps; `seconds`: wall time;
    `subtask_steps`: of a chain, those of each subtask that was begun.
    """

    plan: EpisodePlan
    outcome: str
    steps: int
    seconds: float
    error: str = ""
    subtask_steps: tuple[int, ...] = ()

    @property
    def solved(self) -> int:
        """Subtasks of a chain that were solved, one after another from the first on."""
        return len(self.subtask_steps) - (self.outcome != "success")


def plan_episodes(
    config: EvaluationSection,
    simulator: Simulator,
    condition: str,
    tasks: Sequence[dict[str, Any]],
    demonstration_seeds: Sequence[int],
) -> list[EpisodePlan]:
    """Episodes in order, every task with the same number.

    `tasks`, `demonstration_seeds`: those of the training data. `UserError` when a seed was used
    by a demonstration, when the data has no sentence for a task, or when the simulator has too few
    seeds.
    """
    if chains := simulator.chains():
        return _plan_chains(chains, config, condition)
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
                simulator.seed(name, config.first_seed, episode),
                sentences[episode % len(sentences)],
            )
            for episode in range(config.episodes_per_task)
        ]
    _check_seeds(plans, demonstration_seeds)
    return plans


def _plan_chains(
    chains: Sequence[tuple[Subtask, ...]], config: EvaluationSection, condition: str
) -> list[EpisodePlan]:
    """A benchmark's chains, in its own sentences; they start in states that no seed decides."""
    if config.tasks:
        raise UserError(
            f"evaluation.tasks chooses tasks; {config.simulator.type} fixes its chains of them.",
            "Drop evaluation.tasks; the simulator's own settings say how many chains are run.",
        )
    if condition == "held_out":
        raise UserError(
            f"{config.simulator.type} fixes the sentences of its chains: it has no held-out ones.",
            "Drop `held_out` from evaluation.conditions.",
        )
    hidden = condition == "no_instruction"
    return [
        EpisodePlan(
            CHAIN,
            number,
            number,
            "",
            tuple(Subtask(s.task, "" if hidden else s.instruction) for s in chain),
        )
        for number, chain in enumerate(chains)
    ]


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


def _check_seeds(plans: list[EpisodePlan], demonstration_seeds: Sequence[int]) -> None:
    shared = {plan.seed for plan in plans} & set(demonstration_seeds)
    if shared:
        raise UserError(
            f"{len(shared)} evaluation seeds were used by demonstrations, such as {min(shared)}.",
            "Set evaluation.first_seed to a range that the data does not use.",
        )
