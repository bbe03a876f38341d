"""One experiment's evaluations as numbers: by condition, by task, by training seed."""

import numpy as np
import pandas as pd

from vla.records.rates import ConditionRates, Rates
from vla.statistics.chains import chain_rates, describe_chains, overall_rate
from vla.statistics.rates import describe, percent, success_rate, verdict
from vla.words import NOT_REACHED


def summarise(episodes: pd.DataFrame, target: float | None) -> Rates:
    """Rates of all episodes of an experiment.

    `episodes`: one row an episode with `condition`, `training_seed`, `task`, `outcome`.
    The overall interval pools the episodes of all training seeds: it speaks of these trained
    policies. `spread_between_seeds` (standard deviation of the seeds' rates; None for one seed)
    speaks of training again.
    """
    conditions = {}
    for condition, rows in episodes.groupby("condition", sort=False):
        by_seed = {str(seed): overall_rate(part) for seed, part in rows.groupby("training_seed")}
        reached = rows[rows["outcome"] != NOT_REACHED]
        rates = [seed.rate for seed in by_seed.values()]
        conditions[condition] = ConditionRates(
            overall=overall_rate(rows),
            by_task={
                task: success_rate(part) for task, part in reached.groupby("task", sort=False)
            },
            by_seed=by_seed,
            mean_over_seeds=float(np.mean(rates)),
            spread_between_seeds=float(np.std(rates, ddof=1)) if len(rates) > 1 else None,
            chains=chain_rates(rows),
        )
    overall, chains = conditions["instructed"].overall, conditions["instructed"].chains
    reached, statement = None, f"{describe(overall)}, no target set"
    if target is not None:
        reached = verdict(overall.low, overall.high, target)
        statement = f"{describe(overall)}, target {percent(target)}: {reached}"
    if chains:
        statement = f"{describe_chains(chains)}; subtasks solved {statement}"
    return Rates(conditions=conditions, target=target, verdict=reached, statement=statement)


def evaluation_gap(
    rates: Rates, metrics: dict[int, pd.DataFrame], floor: float | None
) -> list[str]:
    """A line for each training seed that learnt, by its loss, and yet fails nearly every episode.

    `metrics`: training seed -> metrics file. `floor`: success rate that the interval must reach;
    None does not look. Such a gap has mostly one cause: evaluation differs from the data, in
    normalisation, cameras, control rate or the order of actions.
    """
    lines = []
    for seed, rate in rates.conditions["instructed"].by_seed.items():
        losses = metrics[int(seed)]["loss"]
        learnt = losses.iloc[-1] <= losses.iloc[0] / 2
        if floor is not None and learnt and rate.high < floor:
            lines.append(
                f"evaluation gap, seed {seed}: success {describe(rate)} though the loss fell from "
                f"{losses.iloc[0]:.3g} to {losses.iloc[-1]:.3g}: compare what the policy sees and "
                "does in evaluation with the data (normalisation, cameras, control rate)"
            )
    return lines


def rates_table(rates: Rates) -> pd.DataFrame:
    """The rates as a table: one row a condition and task, and one a condition for all tasks."""
    rows = []
    for condition, content in rates.conditions.items():
        for task, rate in [("all", content.overall), *content.by_task.items()]:
            rows.append({"condition": condition, "task": task, **dict(rate)})
    table = pd.DataFrame(rows)
    return table.round({"rate": 4, "low": 4, "high": 4})
