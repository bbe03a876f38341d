"""A sweep's runs as numbers, and the choice of one combination."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vla.errors import UserError
from vla.files.described import check_file
from vla.plan.items import Run
from vla.plan.sweeps import Combination, Sweep
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.records.sweep import SweptCombination, SweptRun
from vla.records.validation import ValidationRecord
from vla.statistics.chains import overall_rate


@dataclass(frozen=True)
class SweepResults:
    """`combinations`: by rising validation loss, the chosen one first; `runs`: in the order of the plan."""

    combinations: tuple[SweptCombination, ...]
    runs: tuple[SweptRun, ...]

    @property
    def chosen(self) -> SweptCombination:
        return self.combinations[0]


def rank(losses: dict[str, list[float]]) -> list[str]:
    """Labels of combinations, the best first: by the mean of their validation losses, one a training seed.

    Nothing else is known here: no test episode can have a part in the choice. Equal means keep the
    order in which they come; a loss that is no number, or infinite, comes last. `UserError` when all are.
    """
    means = {label: float(np.mean(values)) for label, values in losses.items()}
    if not any(map(math.isfinite, means.values())):
        raise UserError(
            "No combination of the sweep has a finite validation loss: none can be chosen.",
            "Look at the runs' learning curves; lower training.learning_rate.",
        )
    return sorted(
        means, key=lambda label: means[label] if math.isfinite(means[label]) else math.inf
    )


def read_results(sweep: Sweep) -> SweepResults:
    """Every run's validation loss and rates, each file checked against its record."""
    runs, episodes = [], {}
    for combination in sweep.combinations:
        for run in combination.runs:
            tables = _episodes(combination, run)
            episodes[run.name] = tables["instructed"]
            runs.append(
                SweptRun(
                    run=run.name,
                    combination=combination.label,
                    seed=run.seed,
                    validation_loss=ValidationRecord.read(combination.validation_record(run)).loss,
                    training_loss=RunRecord.read(combination.run_record(run)).final_loss,
                    rates={name: overall_rate(table) for name, table in tables.items()},
                )
            )
    losses: dict[str, list[float]] = {}
    for row in runs:
        losses.setdefault(row.combination, []).append(row.validation_loss)
    by_label = {combination.label: combination for combination in sweep.combinations}
    combinations = []
    for label in rank(losses):
        names = [run.name for run in by_label[label].runs]
        many = len(names) > 1
        combinations.append(
            SweptCombination(
                label=label,
                values=by_label[label].values,
                runs=tuple(names),
                validation_loss=float(np.mean(losses[label])),
                validation_spread=float(np.std(losses[label], ddof=1)) if many else None,
                rate=overall_rate(pd.concat([episodes[name] for name in names])),
            )
        )
    return SweepResults(tuple(combinations), tuple(runs))


def _episodes(combination: Combination, run: Run) -> dict[str, pd.DataFrame]:
    """Condition -> its test episodes."""
    tables = {}
    for evaluation in run.evaluations:
        record = EvaluationRecord.read(combination.evaluation_record(run, evaluation))
        file = check_file(record.files.episodes, combination.folder)
        tables[evaluation.condition] = pd.read_parquet(file)
    return tables


def in_words(results: SweepResults, dataset: str) -> str:
    """By what the choice was made, and from how many."""
    seeds = len(results.chosen.runs)
    return (
        f"the lowest mean validation loss ({results.chosen.validation_loss:.4g} on {dataset}) of "
        f"{len(results.combinations)} combinations, each with {seeds} training "
        f"seed{'s' if seeds > 1 else ''} ({len(results.runs)} runs); the test episodes had no part in it"
    )
