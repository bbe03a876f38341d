"""Chains of subtasks: how many are solved in a row, with intervals that take chains as the units.

Subtasks of a chain depend on each other: after one fails, the rest is not reached. So an interval of
all subtasks together comes from a bootstrap that draws whole chains (cluster bootstrap; Davison &
Hinkley 1997, 3.8), the chain's outcomes under all training seeds with it.
"""

import numpy as np
import pandas as pd

from vla.records.rates import ChainRates, Rate
from vla.statistics.counts import CONFIDENCE, wilson
from vla.statistics.rates import success_rate

RESAMPLES = 10_000


def are_chains(episodes: pd.DataFrame) -> bool:
    """Whether rows are subtasks of chains."""
    return "position" in episodes


def overall_rate(episodes: pd.DataFrame) -> Rate:
    """Success over all rows; of chains, the share of all subtasks that were solved, reached or not.

    That is the average length divided by the number of subtasks.
    """
    if not are_chains(episodes):
        return success_rate(episodes)
    usable = episodes[episodes["outcome"] != "crash"]
    crashes = len(_lengths(episodes)) - len(_lengths(usable))
    if usable.empty:
        return Rate(successes=0, episodes=0, crashes=crashes, rate=0.0, low=0.0, high=1.0)
    longest = int(usable["position"].max())
    rate, low, high = (value / longest for value in average_length(usable))
    return Rate(
        successes=int(usable["success"].sum()),
        episodes=len(usable),
        crashes=crashes,
        rate=rate,
        low=low,
        high=high,
    )


def chain_rates(episodes: pd.DataFrame) -> ChainRates | None:
    """Success of 1, 2, ... in a row and average length; None where no episode is a chain.

    `episodes`: one row a subtask, reached or not. Crashed chains belong to no rate.
    """
    usable = episodes[episodes["outcome"] != "crash"] if are_chains(episodes) else episodes[:0]
    if usable.empty:
        return None
    # A subtask that was not reached counts as not solved here, and only here.
    counted = usable.assign(outcome=np.where(usable["success"], "success", "failure"))
    in_a_row = tuple(success_rate(rows) for _, rows in counted.groupby("position"))
    mean, low, high = average_length(usable)
    return ChainRates(
        chains=len(_lengths(usable)), in_a_row=in_a_row, average_length=mean, low=low, high=high
    )


def average_length(episodes: pd.DataFrame) -> tuple[float, float, float]:
    """Mean number of subtasks solved in a row, and its 95 % interval.

    Percentile bootstrap over chains, seeded. Where all chains have the same length, which leaves
    nothing to draw from, Wilson's interval takes a chain as one trial.
    """
    lengths = _lengths(episodes)
    clusters = lengths.groupby("episode").agg(["sum", "count"])
    solved, counts = clusters["sum"].to_numpy(float), clusters["count"].to_numpy(float)
    mean = float(solved.sum() / counts.sum())
    if lengths.nunique() == 1:
        longest = float(episodes["position"].max())
        chains = len(clusters)
        low, high = wilson(mean / longest * chains, chains)
        return mean, min(low * longest, mean), max(high * longest, mean)
    drawn = np.random.default_rng(0).integers(0, len(clusters), (RESAMPLES, len(clusters)))
    means = solved[drawn].sum(1) / counts[drawn].sum(1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return mean, float(low), float(high)


def describe_chains(rates: ChainRates) -> str:
    """'average length 1.42 [1.10, 1.77] of 5'."""
    longest = len(rates.in_a_row)
    return f"average length {rates.average_length:.2f} [{rates.low:.2f}, {rates.high:.2f}] of {longest}"


def _lengths(episodes: pd.DataFrame) -> pd.Series:
    """Subtasks solved in a row, by training seed and chain."""
    return episodes.groupby(["training_seed", "episode"], sort=False)["success"].sum()
