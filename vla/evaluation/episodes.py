"""What is kept of episodes: a table of outcomes, and apart from it the texts of errors."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from vla.evaluation.protocol import EpisodePlan, EpisodeResult


def episodes_table(
    results: Sequence[EpisodeResult], condition: str, training_seed: int
) -> pd.DataFrame:
    """One row an episode, in the order of `results`; the same bits whenever it is made.

    Wall times and texts of errors, which name lines of code, are no part of it.
    """
    rows = [
        {
            "condition": condition,
            "training_seed": training_seed,
            **asdict(result.plan),
            "outcome": result.outcome,
            "success": result.outcome == "success",
            "steps": result.steps,
        }
        for result in results
    ]
    return pd.DataFrame(rows)


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
    columns = ["task", "episode", "seed", "instruction", "outcome", "steps"]
    return [
        EpisodeResult(EpisodePlan(task, episode, seed, instruction), outcome, steps, 0.0)
        for task, episode, seed, instruction, outcome, steps in pd.read_parquet(path)[columns]
        .astype(object)
        .itertuples(index=False)
    ]
