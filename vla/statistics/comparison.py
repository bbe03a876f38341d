"""Two experiments on the same episodes: McNemar's test on the pairs that differ."""

from contextlib import suppress

import numpy as np
import pandas as pd
from statsmodels.stats.contingency_tables import mcnemar

from vla.errors import UserError
from vla.records.rates import PairedRates, PairedTask
from vla.statistics.chains import are_chains, overall_rate
from vla.statistics.rates import CONFIDENCE
from vla.words import CONDITIONS

PAIR = ["task", "episode", "seed"]
RESAMPLES = 10_000


def compare(baseline: pd.DataFrame, candidate: pd.DataFrame) -> PairedRates:
    """Paired comparison of the episodes of one condition, matched by task and initial state.

    Episodes of several training seeds are averaged over seeds for the difference; McNemar's exact
    test (McNemar 1947) needs one outcome a pair and so takes each experiment's first seed.
    Crashed episodes leave their pair out. The interval of the difference is a bootstrap over
    initial states within each task (percentile, seeded).
    Of chains, subtasks that were not reached count as not solved; the test takes the first subtask
    of each chain, and the bootstrap draws whole chains.
    """
    shared = _first_seed(baseline).merge(_first_seed(candidate), on=PAIR, suffixes=("_a", "_b"))
    if shared.empty:
        raise UserError(
            "The two experiments share no episode: nothing can be compared.",
            "Give both the same evaluation.first_seed and tasks.",
        )
    a, b = shared["success_a"].to_numpy(bool), shared["success_b"].to_numpy(bool)
    table = np.array([[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]])
    p_value = float(mcnemar(table, exact=True).pvalue)
    paired = _mean_over_seeds(baseline).merge(
        _mean_over_seeds(candidate), on=PAIR, suffixes=("_a", "_b")
    )
    paired["difference"] = paired["success_b"] - paired["success_a"]
    low, high = _bootstrap(paired, "episode" if are_chains(baseline) else None)
    difference = float(paired["difference"].mean())
    return PairedRates(
        baseline=overall_rate(baseline),
        candidate=overall_rate(candidate),
        pairs=len(shared),
        both_succeed=int(table[0, 0]),
        only_baseline=int(table[0, 1]),
        only_candidate=int(table[1, 0]),
        both_fail=int(table[1, 1]),
        p_value=p_value,
        difference=difference,
        difference_low=low,
        difference_high=high,
        by_task={
            task: PairedTask(
                baseline=float(rows["success_a"].mean()),
                candidate=float(rows["success_b"].mean()),
                pairs=len(rows),
            )
            for task, rows in paired.groupby("task", sort=False)
        },
        statement=_statement(p_value, low, high, difference),
    )


def compare_conditions(baseline: pd.DataFrame, candidate: pd.DataFrame) -> dict[str, PairedRates]:
    """`compare` under each condition that both were evaluated under, `instructed` first.

    `UserError` when they share no instructed episode; another condition without a pair is left out.
    """
    found = {"instructed": compare(*_under("instructed", baseline, candidate))}
    for condition in CONDITIONS:
        tables = _under(condition, baseline, candidate)
        if condition in found or any(table.empty for table in tables):
            continue
        with suppress(UserError):  # every shared episode crashed
            found[condition] = compare(*tables)
    return found


def points(low: float, high: float, difference: float) -> str:
    """'-50 points [-60, -40]'."""
    return f"{100 * difference:+.0f} points [{100 * low:+.0f}, {100 * high:+.0f}]"


def _statement(p_value: float, low: float, high: float, difference: float) -> str:
    shown = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    decided = "a difference" if p_value < 1 - CONFIDENCE else "no difference shown"
    return f"{points(low, high, difference)}, McNemar {shown}: {decided}"


def _under(condition: str, *tables: pd.DataFrame) -> list[pd.DataFrame]:
    return [episodes[episodes["condition"] == condition] for episodes in tables]


def _usable(episodes: pd.DataFrame) -> pd.DataFrame:
    return episodes[episodes["outcome"] != "crash"]


def _first_seed(episodes: pd.DataFrame) -> pd.DataFrame:
    first = episodes["training_seed"].iloc[0]
    usable = _usable(episodes)
    if are_chains(usable):
        usable = usable[usable["position"] == 1]
    return usable.loc[usable["training_seed"] == first, [*PAIR, "success"]]


def _mean_over_seeds(episodes: pd.DataFrame) -> pd.DataFrame:
    return _usable(episodes).groupby(PAIR, sort=False, as_index=False)["success"].mean()


def _bootstrap(paired: pd.DataFrame, cluster: str | None) -> tuple[float, float]:
    """`cluster`: the column whose equal values are drawn together, over all tasks."""
    random = np.random.default_rng(0)
    totals = np.zeros(RESAMPLES)
    if cluster:
        sums = paired.groupby(cluster)["difference"].sum()
        paired = pd.DataFrame({"task": "all", "difference": sums * len(sums) / len(paired)})
    for _, rows in paired.groupby("task", sort=False):
        values = rows["difference"].to_numpy()
        totals += values[random.integers(0, len(values), (RESAMPLES, len(values)))].sum(1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(totals / len(paired), [tail, 1 - tail])
    return float(low), float(high)
