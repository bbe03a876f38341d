"""A sweep's runs as numbers, and the choice of one combination."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vla.files.described import check_file
from vla.plan.items import Run
from vla.plan.sweeps import Combination, Sweep
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.records.sweep import StoppedCombination, SweptCombination, SweptRun
from vla.records.validation import ValidationRecord
from vla.statistics.chains import overall_rate
from vla.statistics.ranking import mean_loss, rank


@dataclass(frozen=True)
class SweepResults:
    """`combinations`: trained to the end, by rising validation loss, the chosen one first; `runs`: theirs,
    in the order of the plan; `stopped`: those that were stopped early, the last one first."""

    combinations: tuple[SweptCombination, ...]
    runs: tuple[SweptRun, ...]
    stopped: tuple[StoppedCombination, ...] = ()

    @property
    def chosen(self) -> SweptCombination:
        return self.combinations[0]


def read_results(sweep: Sweep) -> SweepResults:
    """Every run's validation loss and rates, each file checked against its record."""
    runs, episodes = [], {}
    for combination in sweep.finalists():
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
                validation_loss=mean_loss(losses[label]),
                validation_spread=float(np.std(losses[label], ddof=1)) if many else None,
                rate=overall_rate(pd.concat([episodes[name] for name in names])),
            )
        )
    stopped = tuple(
        StoppedCombination(
            label=candidate.label,
            values=by_label[candidate.label].values,
            runs=candidate.runs,
            step=decision.step,
            validation_loss=candidate.loss,
            losses=candidate.losses,
            rank=candidate.rank,
            candidates=len(decision.candidates),
        )
        for decision in reversed(sweep.decisions())
        for candidate in decision.candidates
        if not candidate.goes_on
    )
    return SweepResults(tuple(combinations), tuple(runs), stopped)


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
    count, runs = len(results.combinations), len(results.runs)
    seeds = len(results.chosen.runs)
    stopped = len(results.stopped)
    early = (
        f"; {stopped} more were stopped early, by their losses at fixed steps" if stopped else ""
    )
    return (
        f"the lowest mean validation loss ({results.chosen.validation_loss:.4g} on {dataset}) of "
        f"{count} combination{'s, each' if count > 1 else ''} with {seeds} training "
        f"seed{'s' if seeds > 1 else ''} ({runs} run{'s' if runs > 1 else ''}{early}); "
        "the test episodes had no part in it"
    )
