"""Written claims held against episodes: does the whole interval lie where the claim says?"""

from dataclasses import dataclass

import pandas as pd

from vla.config.outcome import Claim, DifferenceClaim, Finding, RateClaim
from vla.errors import UserError
from vla.statistics.chains import overall_rate
from vla.statistics.comparison import compare, points
from vla.statistics.counts import CONFIDENCE
from vla.statistics.rates import describe, success_rate, verdict
from vla.words import CONDITIONS, short_task

MARKS = {"holds": "✓", "does not hold": "✗", "undecided": "?"}
# Verdict on the bound as a target -> on the claim.
ABOVE = {"met": "holds", "not met": "does not hold", "undecided": "undecided"}
BELOW = {"met": "does not hold", "not met": "holds", "undecided": "undecided"}
# Below this number of pairs the bootstrap's interval is too narrow: when all pairs agree it is a point.
FEWEST_PAIRS = 10


@dataclass(frozen=True)
class JudgedFinding:
    """A finding beside the present results.

    `verdict`: `holds`, `does not hold` or `undecided`; empty where nothing was claimed or measured.
    `measured`: the claim with the numbers that were found.
    """

    text: str
    verdict: str = ""
    measured: str = ""

    def __str__(self) -> str:
        """'✓ It reads. (holds: instruction hidden 44 % [35, 54], claimed below 60 %)'."""
        if not self.verdict:
            return self.text
        return f"{MARKS[self.verdict]} {self.text} ({self.verdict}: {self.measured})"


def judge(finding: Finding, episodes: pd.DataFrame) -> JudgedFinding:
    """Hold a finding's claim against all episodes of its experiment, as `read_episodes` gives them.

    A claim on a rate is judged by the rate's interval (Wilson 1927), pooled over training seeds; one
    on a difference by the paired comparison of the two conditions on the same episodes, and it holds
    only where McNemar's test shows a difference as well. `UserError` when there are no such episodes.
    """
    claim = finding.claim
    if claim is None:
        return JudgedFinding(finding.text)
    if isinstance(claim, DifferenceClaim):
        found, measured = _difference(claim, episodes)
    else:
        found, measured = _rate(claim, episodes)
    return JudgedFinding(finding.text, found, measured)


def _rate(claim: RateClaim, episodes: pd.DataFrame) -> tuple[str, str]:
    rows = _select(episodes, claim.condition, claim.task)
    rate = overall_rate(rows) if claim.task is None else success_rate(rows)
    if claim.below is None:
        words, claimed, bound = ABOVE, "above", claim.above
    else:
        words, claimed, bound = BELOW, "below", claim.below
    found = words[verdict(rate.low, rate.high, bound)]
    return found, f"{_name(claim)} {describe(rate)}, claimed {claimed} {100 * bound:g} %"


def _difference(claim: DifferenceClaim, episodes: pd.DataFrame) -> tuple[str, str]:
    baseline, candidate = (
        _select(episodes, condition, claim.task) for condition in (claim.than, claim.condition)
    )
    pair = f"{_name(claim)} against {CONDITIONS[claim.than]}"
    try:
        paired = compare(baseline, candidate)
    except UserError:  # every episode of one of them crashed
        return "undecided", f"{pair}: no shared episode"
    low, high = paired.difference_low, paired.difference_high
    if claim.higher_by is None:
        least, most, claimed, bound = -high, -low, "lower", claim.lower_by
    else:
        least, most, claimed, bound = low, high, "higher", claim.higher_by
    found = ABOVE[verdict(least, most, bound)]
    shown = paired.p_value < 1 - CONFIDENCE
    if paired.pairs < FEWEST_PAIRS or (found == "holds" and not shown):
        found = "undecided"
    measured = f"{pair} {points(low, high, paired.difference)}"
    return found, f"{measured}, claimed {claimed} by {100 * bound:g} points"


def _select(episodes: pd.DataFrame, condition: str, task: str | None) -> pd.DataFrame:
    """Episodes of a condition, and of a task where one is named."""
    rows = episodes[episodes["condition"] == condition]
    if task is None:
        return rows
    tasks = list(dict.fromkeys(rows["task"]))
    if task not in tasks:
        raise UserError(
            f"A finding's claim names the task {task!r}, which was not evaluated.",
            f"Correct experiment.outcome.findings in config.yaml; tasks are: {', '.join(tasks)}.",
        )
    return rows[rows["task"] == task]


def _name(claim: Claim) -> str:
    """'instruction hidden', 'faucet close, held-out paraphrases'."""
    condition = CONDITIONS[claim.condition]
    return condition if claim.task is None else f"{short_task(claim.task)}, {condition}"
