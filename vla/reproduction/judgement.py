"""Where bytes differ: whether two runs achieve the same, judged by losses and success rates."""

import math

import pandas as pd

from vla.records.run import RunRecord
from vla.statistics.comparison import PAIR, compare
from vla.statistics.counts import newcombe


def compare_losses(one: RunRecord, other: RunRecord, tolerance: float) -> tuple[str, str]:
    """(equivalent or undecided, why), from the final losses of two runs' records."""
    losses = [record.final_loss for record in (one, other)]
    text = f"{losses[0]:.6g} and {losses[1]:.6g}"
    if one.identity["model"] != other.identity["model"]:
        return "equivalent", f"{text}, not compared: another model"
    if all(map(math.isnan, losses)):
        return "equivalent", "no losses: nothing was trained here"
    apart = abs(losses[0] - losses[1]) / max(map(abs, losses)) if any(losses) else 0.0
    text += f", {100 * apart:.1f} % apart"
    if apart <= tolerance:
        return "equivalent", f"{text}: within {100 * tolerance:g} %"
    return "undecided", f"{text}: more than {100 * tolerance:g} %"


def compare_rates(one: pd.DataFrame, other: pd.DataFrame, margin: float) -> tuple[str, str]:
    """(equivalent, different or undecided, why), from the episodes of two evaluations.

    Paired over the episodes that both ran; without any, from the rates of each. Crashed episodes
    are left out and named.
    """
    usable = [episodes[episodes["outcome"] != "crash"] for episodes in (one, other)]
    crashes = [len(all_) - len(kept) for all_, kept in zip((one, other), usable, strict=True)]
    left_out = f"; {crashes[0]} and {crashes[1]} crashed episodes left out" if any(crashes) else ""
    if any(kept.empty for kept in usable):
        return "undecided", f"no episode to judge by{left_out}"
    if usable[0].merge(usable[1], on=PAIR).empty:
        low, high, text = _unpaired(*usable)
    else:
        low, high, text = _paired(*usable)
    text += left_out
    # Asked first: a difference that is shown, but smaller than anybody cares about, is none.
    if -margin <= low and high <= margin:
        return "equivalent", f"{text}: within ±{100 * margin:.0f} points"
    if low > 0 or high < 0:
        return "different", f"{text}: different"
    return "undecided", f"{text}: neither shown different nor within ±{100 * margin:.0f} points"


def _paired(one: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float, str]:
    result = compare(one, other)
    low, high, pairs = result.difference_low, result.difference_high, result.pairs
    # Without a single differing pair the bootstrap sees no spread: then nothing bounds the
    # difference but the number of pairs (rule of three, Hanley and Lippman-Hand 1983).
    if low == high:
        low, high = max(low - 3 / pairs, -1.0), min(high + 3 / pairs, 1.0)
    alone = (result.only_baseline, result.only_candidate)
    rates = [(result.both_succeed + only) / pairs for only in alone]
    return low, high, _in_words(rates, low, high, f"{pairs} pairs of episodes")


def _unpaired(one: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float, str]:
    good = tuple(int(episodes["success"].sum()) for episodes in (one, other))
    of = len(one), len(other)
    low, high = newcombe(good, of)
    rates = [count / total for count, total in zip(good, of, strict=True)]
    return (
        low,
        high,
        _in_words(rates, low, high, f"{of[0]} and {of[1]} episodes, none of them shared"),
    )


def _in_words(rates: list[float], low: float, high: float, of: str) -> str:
    return (
        f"{100 * rates[0]:.0f} % and {100 * rates[1]:.0f} %, "
        f"difference [{100 * low:+.0f}, {100 * high:+.0f}] points on {of}"
    )
