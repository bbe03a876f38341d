"""The table of episodes: one row each, what was planned and what came of it."""

from collections.abc import Sequence

import pandas as pd

from vla.evaluation.rollout import EpisodeResult


def episodes_table(
    results: Sequence[EpisodeResult], condition: str, training_seed: int
) -> pd.DataFrame:
    """Rows in the order of `results`; `seconds` is wall time, everything else repeats bit for bit."""
    table = pd.DataFrame([result.row() for result in results])
    table.insert(0, "condition", condition)
    table.insert(1, "training_seed", training_seed)
    return table
