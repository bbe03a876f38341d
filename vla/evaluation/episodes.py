"""What is kept of episodes: a table of outcomes, and apart from it the texts of errors."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.simulation.protocol import CHAIN, Subtask
from vla.words import NOT_REACHED


def episodes_table(
    results: Sequence[EpisodeResult], condition: str, training_seed: int
) -> pd.DataFrame:
    """One row an episode, in the order of `results`; the same bits whenever it is made.

    A chain has one row a subtask, with its `position` from 1 on; its outcome is NOT_REACHED where one
    before it failed, and 'crash' in all rows when the chain crashed.
    Wall times and texts of errors, which name lines of code, are no part of it.
    """
    about = {"condition": condition, "training_seed": training_seed}
    return pd.DataFrame([about | row for result in results for row in _rows(result)])


def _rows(result: EpisodeResult) -> Iterator[dict[str, Any]]:
    plan = result.plan
    if not plan.chain:
        yield _row(plan.task, plan, plan.instruction, result.outcome, result.steps)
    for number, subtask in enumerate(plan.chain):
        if result.outcome == "crash":
            outcome = "crash"
        elif number < result.solved:
            outcome = "success"
        else:
            outcome = "failure" if number == result.solved else NOT_REACHED
        steps = result.subtask_steps[number] if number < len(result.subtask_steps) else 0
        row = _row(subtask.task, plan, subtask.instruction, outcome, steps)
        yield row | {"position": number + 1}


def _row(
    task: str, plan: EpisodePlan, instruction: str, outcome: str, steps: int
) -> dict[str, Any]:
    return {
        "task": task,
        "episode": plan.episode,
        "seed": plan.seed,
        "instruction": instruction,
        "outcome": outcome,
        "success": outcome == "success",
        "steps": steps,
    }


def crash_reports(results: Sequence[EpisodeResult]) -> list[dict[str, Any]]:
    """`task`, `episode`, `seed` and `error` of every episode that crashed."""
    return [
        {
            "task": result.plan.task,
            "episode": result.plan.episode,
            "seed": result.plan.seed,
            "error": result.error,
        }
        for result in results
        if result.outcome == "crash"
    ]


def read_results(path: Path) -> list[EpisodeResult]:
    """The episodes of a table on disk, without wall times and texts of errors."""
    table = pd.read_parquet(path)
    if "position" in table:
        return [_read_chain(rows) for _, rows in table.groupby("episode", sort=False)]
    columns = ["task", "episode", "seed", "instruction", "outcome", "steps"]
    return [
        EpisodeResult(EpisodePlan(task, episode, seed, instruction), outcome, steps, 0.0)
        for task, episode, seed, instruction, outcome, steps in table[columns]
        .astype(object)
        .itertuples(index=False)
    ]


def _read_chain(rows: pd.DataFrame) -> EpisodeResult:
    """A chain from its rows."""
    episode, seed = int(rows["episode"].iloc[0]), int(rows["seed"].iloc[0])
    pairs = zip(rows["task"], rows["instruction"], strict=True)
    plan = EpisodePlan(CHAIN, episode, seed, "", tuple(Subtask(*pair) for pair in pairs))
    begun = rows[rows["outcome"] != NOT_REACHED]
    steps = tuple(int(count) for count in begun["steps"])
    return EpisodeResult(plan, str(begun["outcome"].iloc[-1]), sum(steps), 0.0, "", steps)
