"""Two experiments on the same episodes: McNemar's test on the pairs that differ."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vla.errors import UserError
from vla.records.rates import PairedRates, PairedTask, Rate
from vla.statistics.chains import are_chains, overall_rate
from vla.statistics.counts import CONFIDENCE, mcnemar
from vla.words import CONDITIONS

PAIR = ["task", "episode", "seed"]
RESAMPLES = 10_000


@dataclass(frozen=True)
class Side:
    """Episodes of one experiment under one condition, ready to be paired with those of many others.

    `seeds`: training seeds; `first`, `means`: initial state (task, episode, seed) -> outcome of the first
    of them, and mean over all.
    """

    rate: Rate
    chains: bool
    seeds: int
    first: dict[tuple[str, int, int], bool]
    means: dict[tuple[str, int, int], float]


def make_side(episodes: pd.DataFrame) -> Side:
    """`episodes`: of one condition; crashed ones leave their pair out."""
    usable = episodes[episodes["outcome"] != "crash"]
    first = usable[usable["training_seed"] == episodes["training_seed"].iloc[0]]
    if are_chains(episodes):
        first = first[first["position"] == 1]
    return Side(
        rate=overall_rate(episodes),
        chains=are_chains(episodes),
        seeds=episodes["training_seed"].nunique(),
        first=dict(zip(_states(first), first["success"].astype(bool).tolist(), strict=True)),
        means=usable.groupby(PAIR, sort=False)["success"].mean().to_dict(),
    )


def make_sides(episodes: pd.DataFrame) -> dict[str, Side]:
    """By condition, `instructed` first; a condition without episodes is left out."""
    found = {name: episodes[episodes["condition"] == name] for name in CONDITIONS}
    return {name: make_side(rows) for name, rows in found.items() if not rows.empty}


def compare(baseline: pd.DataFrame, candidate: pd.DataFrame) -> PairedRates:
    """Paired comparison of the episodes of one condition, matched by task and initial state.

    Episodes of several training seeds are averaged over seeds for the difference; McNemar's exact
    test (McNemar 1947) needs one outcome a pair and so takes each experiment's first seed.
    Crashed episodes leave their pair out. The interval of the difference is a bootstrap over
    initial states within each task (percentile, seeded).
    Of chains, subtasks that were not reached count as not solved; the test takes the first subtask
    of each chain, and the bootstrap draws whole chains.
    """
    return compare_sides(make_side(baseline), make_side(candidate))


def compare_sides(baseline: Side, candidate: Side) -> PairedRates:
    """`compare`, of episodes that were made ready before."""
    shared = [state for state in baseline.first if state in candidate.first]
    if not shared:
        raise UserError(
            "The two experiments share no episode: nothing can be compared.",
            "Give both the same evaluation.first_seed and tasks.",
        )
    a, b = (np.array([side.first[state] for state in shared]) for side in (baseline, candidate))
    table = np.array([[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]])
    p_value = mcnemar(table)
    paired = pd.DataFrame(
        [
            (*state, mean, candidate.means[state])
            for state, mean in baseline.means.items()
            if state in candidate.means
        ],
        columns=[*PAIR, "baseline", "candidate"],
    )
    paired["difference"] = paired["candidate"] - paired["baseline"]
    low, high = _bootstrap(paired, "episode" if baseline.chains else None)
    difference = float(paired["difference"].mean())
    return PairedRates(
        baseline=baseline.rate,
        candidate=candidate.rate,
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
                baseline=float(rows["baseline"].mean()),
                candidate=float(rows["candidate"].mean()),
                pairs=len(rows),
            )
            for task, rows in paired.groupby("task", sort=False)
        },
        statement=_statement(
            p_value, low, high, difference, several=max(baseline.seeds, candidate.seeds) > 1
        ),
    )


def compare_conditions(baseline: pd.DataFrame, candidate: pd.DataFrame) -> dict[str, PairedRates]:
    """`compare` under each condition that both were evaluated under, `instructed` first.

    `UserError` when they share no instructed episode; another condition without a pair is left out.
    """
    return compare_all_sides(make_sides(baseline), make_sides(candidate))


def compare_all_sides(
    baseline: dict[str, Side], candidate: dict[str, Side]
) -> dict[str, PairedRates]:
    """`compare_conditions`, of episodes that were made ready before."""
    found = {"instructed": compare_sides(baseline["instructed"], candidate["instructed"])}
    for condition in baseline.keys() & candidate.keys() - found.keys():
        with suppress(UserError):  # every shared episode crashed
            found[condition] = compare_sides(baseline[condition], candidate[condition])
    return {condition: found[condition] for condition in CONDITIONS if condition in found}


def points(low: float, high: float, difference: float) -> str:
    """'-50 points [-60, -40]'."""
    return f"{100 * difference:+.0f} points [{100 * low:+.0f}, {100 * high:+.0f}]"


def _statement(p_value: float, low: float, high: float, difference: float, several: bool) -> str:
    """Of one training seed each, McNemar's test decides; of `several` the interval, since the test only knows
    the first of each."""
    shown = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    found = low > 0 or high < 0 if several else p_value < 1 - CONFIDENCE
    test = f"McNemar, first seeds alone, {shown}" if several else f"McNemar {shown}"
    decided = "a difference" if found else "no difference shown"
    return f"{points(low, high, difference)}, {test}: {decided}"


def _states(episodes: pd.DataFrame) -> list[tuple[str, int, int]]:
    return list(zip(*(episodes[name].tolist() for name in PAIR), strict=True))


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
