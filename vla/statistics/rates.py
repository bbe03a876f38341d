"""Success rates with intervals."""

import pandas as pd

from vla.records.rates import Rate
from vla.statistics.counts import wilson
from vla.words import NOT_REACHED


def success_rate(episodes: pd.DataFrame) -> Rate:
    """Rate over episodes that ended by themselves; crashed ones are counted apart.

    `episodes`: one row an episode with `outcome` in 'success', 'failure', 'crash'; subtasks of chains
    that were not reached belong to no rate.
    """
    crashes = int((episodes["outcome"] == "crash").sum())
    counted = len(episodes) - crashes - int((episodes["outcome"] == NOT_REACHED).sum())
    successes = int((episodes["outcome"] == "success").sum())
    if not counted:
        return Rate(successes=0, episodes=0, crashes=crashes, rate=0.0, low=0.0, high=1.0)
    low, high = wilson(successes, counted)
    rate = successes / counted
    # At 0 or n successes rounding may leave the rate outside by one bit.
    return Rate(
        successes=successes,
        episodes=counted,
        crashes=crashes,
        rate=rate,
        low=min(low, rate),
        high=max(high, rate),
    )


def verdict(low: float, high: float, target: float) -> str:
    """'met' or 'not met' when the whole interval lies on one side of the target, else 'undecided'."""
    if low >= target:
        return "met"
    return "not met" if high < target else "undecided"


def percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"


def describe(rate: Rate) -> str:
    """'81 % [72, 88]'."""
    return f"{percent(rate.rate)} [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"


def interval(rate: Rate) -> str:
    """'72 to 88 %'."""
    return f"{100 * rate.low:.0f} to {100 * rate.high:.0f} %"
