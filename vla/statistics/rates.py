"""Success rates with intervals."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """`successes` of `episodes` with Wilson's 95 % interval (Wilson 1927)."""

    successes: int
    episodes: int
    crashes: int
    rate: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def success_rate(episodes: pd.DataFrame) -> Rate:
    """Rate over episodes that ended by themselves; crashed ones are counted apart.

    `episodes`: one row an episode with `outcome` in 'success', 'failure', 'crash'.
    """
    crashes = int((episodes["outcome"] == "crash").sum())
    counted = len(episodes) - crashes
    successes = int((episodes["outcome"] == "success").sum())
    if not counted:
        return Rate(0, 0, crashes, 0.0, 0.0, 1.0)
    low, high = proportion_confint(successes, counted, 1 - CONFIDENCE, method="wilson")
    rate = successes / counted
    # At 0 or n successes rounding may leave the rate outside by one bit.
    return Rate(successes, counted, crashes, rate, min(float(low), rate), max(float(high), rate))


def verdict(low: float, high: float, target: float) -> str:
    """'met' or 'not met' when the whole interval lies on one side of the target, else 'undecided'."""
    if low >= target:
        return "met"
    return "not met" if high < target else "undecided"


def percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"


def describe(rate: dict[str, Any]) -> str:
    """'81 % [72, 88]'."""
    return f"{percent(rate['rate'])} [{100 * rate['low']:.0f}, {100 * rate['high']:.0f}]"


def interval(rate: dict[str, Any]) -> str:
    """'72 to 88 %'."""
    return f"{100 * rate['low']:.0f} to {100 * rate['high']:.0f} %"
