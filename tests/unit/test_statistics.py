"""Claims: rates with intervals, verdicts, comparisons on the same episodes."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from vla.config.outcome import Finding
from vla.errors import UserError
from vla.records.rates import PairedTask
from vla.report.comparison import comparison_table, draw_comparison
from vla.statistics.claims import judge
from vla.statistics.comparison import compare, compare_conditions
from vla.statistics.rates import describe, success_rate, verdict
from vla.statistics.summary import evaluation_gap, rates_table, summarise

NAMES = {"S": "success", "F": "failure", "C": "crash"}


def episodes(
    outcomes: str, task: str = "a", seed: int = 0, condition: str = "instructed", first: int = 0
) -> pd.DataFrame:
    """One row a letter: S(uccess), F(ailure), C(rash)."""
    return pd.DataFrame(
        {
            "condition": condition,
            "training_seed": seed,
            "task": task,
            "episode": range(len(outcomes)),
            "seed": range(first, first + len(outcomes)),
            "outcome": [NAMES[letter] for letter in outcomes],
            "success": [letter == "S" for letter in outcomes],
        }
    )


def test_nine_of_ten_has_wilsons_interval():
    rate = success_rate(episodes("SSSSSSSSSF"))
    assert (rate.successes, rate.episodes, rate.rate) == (9, 10, 0.9)
    assert (round(rate.low, 3), round(rate.high, 3)) == (0.596, 0.982)
    assert describe(rate) == "90 % [60, 98]"


def test_crashes_are_no_failures():
    rate = success_rate(episodes("SSFCC"))
    assert (rate.successes, rate.episodes, rate.crashes) == (2, 3, 2)
    assert rate.rate == pytest.approx(2 / 3)


def test_nothing_is_claimed_when_everything_crashed():
    rate = success_rate(episodes("CCC"))
    assert (rate.episodes, rate.crashes, rate.low, rate.high) == (0, 3, 0.0, 1.0)


@pytest.mark.parametrize(
    ("target", "said"),
    [(0.5, "met"), (0.595, "met"), (0.597, "undecided"), (0.982, "undecided"), (0.983, "not met")],
)
def test_verdict_needs_the_whole_interval_on_one_side(target, said):
    rate = success_rate(episodes("SSSSSSSSSF"))
    assert verdict(rate.low, rate.high, target) == said


def test_summary_states_rate_interval_target_and_verdict():
    summary = summarise(episodes("SSSSSSSSSF"), target=0.5)
    assert summary.statement == "90 % [60, 98], target 50 %: met"
    assert summary.verdict == "met"
    without = summarise(episodes("SSSSSSSSSF"), target=None)
    assert (without.statement, without.verdict) == ("90 % [60, 98], no target set", None)


def test_summary_speaks_of_instructed_episodes():
    table = pd.concat([episodes("FFFF", condition="no_instruction"), episodes("SSSF")])
    summary = summarise(table, target=None)
    assert summary.statement.startswith("75 %")
    assert summary.conditions["no_instruction"].overall.successes == 0


def test_spread_between_seeds():
    summary = summarise(pd.concat([episodes("SSSS"), episodes("SSFF", seed=1)]), None)
    instructed = summary.conditions["instructed"]
    assert instructed.overall.episodes == 8
    assert instructed.mean_over_seeds == pytest.approx(0.75)
    assert instructed.spread_between_seeds == pytest.approx(np.std([1.0, 0.5], ddof=1))
    one = summarise(episodes("SSFF"), None).conditions["instructed"]
    assert one.spread_between_seeds is None


def test_rates_table_has_a_row_a_condition_and_task():
    table = pd.concat([episodes("SF"), episodes("SS", task="b")])
    both = pd.concat([table, table.assign(condition="held_out")])
    rates = rates_table(summarise(both, None))
    assert list(rates["condition"]) == ["instructed"] * 3 + ["held_out"] * 3
    assert list(rates["task"]) == ["all", "a", "b"] * 2
    assert list(rates["rate"]) == [0.75, 0.5, 1.0] * 2


@pytest.mark.parametrize(
    ("baseline", "candidate"),
    [("SSFFFFFFFF", "SSSSSSSSSF"), ("SFSFSF", "FSFSFF"), ("SSF", "SSF"), ("SSSS", "FFFF")],
)
def test_mcnemar_is_the_sign_test_of_discordant_pairs(baseline, candidate):
    pairs = list(zip(baseline, candidate, strict=True))
    gained, lost = pairs.count(("F", "S")), pairs.count(("S", "F"))
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    result = compare(episodes(baseline), episodes(candidate))
    assert result.p_value == pytest.approx(expected)
    assert (result.only_candidate, result.only_baseline) == (gained, lost)
    assert result.pairs == len(pairs)
    assert result.difference == pytest.approx((gained - lost) / len(pairs))


def test_difference_lies_in_its_interval_which_repeats():
    pair = episodes("SSFFFFFFFF" * 100), episodes("SSSSSSSFFF" * 100)
    result = compare(*pair)
    assert result.difference_low < result.difference < result.difference_high
    assert compare(*pair) == compare(*pair) == result


def test_statement_calls_a_difference_only_what_the_test_shows():
    clear = compare(episodes("F" * 20), episodes("S" * 20))
    assert clear.statement == "+100 points [+100, +100], McNemar p < 0.001: a difference"
    unclear = compare(episodes("SSF"), episodes("SSS"))
    assert unclear.statement.endswith("McNemar p = 1.000: no difference shown")


def test_of_several_training_seeds_the_interval_over_all_of_them_decides():
    """McNemar's test knows one outcome a pair, so only the first seed of each."""

    def of_seeds(*patterns: str) -> pd.DataFrame:
        runs = [episodes(p).assign(training_seed=seed) for seed, p in enumerate(patterns)]
        return pd.concat(runs, ignore_index=True)

    none, every, same = "F" * 20, "S" * 20, "SF" * 10
    lucky = compare(of_seeds(none, every), of_seeds(every, none))
    assert lucky.statement == (
        "+0 points [+0, +0], McNemar, first seeds alone, p < 0.001: no difference shown"
    )
    unlucky = compare(of_seeds(same, none), of_seeds(same, every))
    assert unlucky.statement == (
        "+50 points [+50, +50], McNemar, first seeds alone, p = 1.000: a difference"
    )


def test_crash_leaves_its_pair_out():
    result = compare(episodes("SSFC"), episodes("CSSS"))
    assert result.pairs == 2
    assert (result.both_succeed, result.only_candidate) == (1, 1)
    assert result.baseline.crashes == result.candidate.crashes == 1
    assert result.difference == pytest.approx(0.5)


def test_pairs_are_the_same_initial_states():
    """Equal numbers of episodes are not enough: the seeds must be the same."""
    with pytest.raises(UserError, match="share no episode"):
        compare(episodes("SSSS"), episodes("SSSS", first=100))


def test_several_training_seeds():
    baseline = pd.concat([episodes("FFFF"), episodes("SSFF", seed=1)])
    candidate = pd.concat([episodes("SSSS"), episodes("SSFF", seed=1)])
    result = compare(baseline, candidate)
    assert result.pairs == 4
    assert result.only_candidate == 4  # the test takes the first seeds
    assert result.difference == pytest.approx(0.5)  # 0.75 - 0.25, over both
    assert result.baseline.episodes == 8


def test_comparison_by_task():
    pair = [
        pd.concat([episodes(a), episodes(b, task="b")]) for a, b in (("SF", "FF"), ("SS", "FFS"))
    ]
    by_task = compare(*pair).by_task
    assert by_task["a"] == PairedTask(baseline=0.5, candidate=1.0, pairs=2)
    assert by_task["b"] == PairedTask(baseline=0.0, candidate=0.0, pairs=2)


def test_every_condition_that_both_were_evaluated_under_is_compared():
    def table(**conditions: str) -> pd.DataFrame:
        return pd.concat([episodes(o, condition=name) for name, o in conditions.items()])

    baseline = table(held_out="FFFF", instructed="SSSS", no_instruction="CCCC")
    found = compare_conditions(
        baseline, table(no_instruction="SSSS", instructed="SSSF", held_out="SSSS")
    )
    assert list(found) == ["instructed", "held_out"], "of the third every pair crashed"
    assert {name: paired.difference for name, paired in found.items()} == {
        "instructed": -0.25,
        "held_out": 1.0,
    }
    assert list(compare_conditions(baseline, table(instructed="SSSF"))) == ["instructed"]

    numbers = comparison_table(found, ("one", "other"))
    whole = numbers[numbers["task"] == "all"].set_index(["condition", "experiment"])["rate"]
    assert whole["held_out", "one"] == 0.0 and whole["held_out", "other"] == 1.0
    figure = draw_comparison(found, ("one", "other"))
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == [
        f"instructed: {found['instructed'].statement}",
        f"held-out paraphrases: {found['held_out'].statement}",
    ]
    (legend,) = figure.legends
    assert [label.get_text() for label in legend.get_texts()] == ["one", "other"]


@pytest.mark.parametrize(
    ("losses", "successes", "floor", "told"),
    [
        ([1.0, 0.2], 0, 0.1, True),
        ([1.0, 0.2], 30, 0.1, False),  # it succeeds
        ([1.0, 0.8], 0, 0.1, False),  # it has not learnt: no wonder
        ([1.0, 0.2], 0, None, False),  # nobody wants to know
    ],
)
def test_low_loss_with_hardly_a_success_is_told(losses, successes, floor, told):
    outcomes = ["success"] * successes + ["failure"] * (100 - successes)
    episodes = pd.DataFrame(
        {"condition": "instructed", "training_seed": 7, "task": "t", "outcome": outcomes}
    )
    lines = evaluation_gap(summarise(episodes, 0.5), {7: pd.DataFrame({"loss": losses})}, floor)
    assert len(lines) == told
    assert all("seed 7" in line and "1 to 0.2" in line for line in lines)


def judged(claim: dict, **conditions: str) -> str:
    """The verdict on a claim; `conditions`: the outcomes of each, as letters."""
    tables = [episodes(outcomes, condition=name) for name, outcomes in conditions.items()]
    finding = Finding.model_validate({"text": "It.", "claim": claim})
    return judge(finding, pd.concat(tables)).verdict


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [  # 9 of 10: 60 to 98 %
        ({"above": 0.59}, "holds"),
        ({"above": 0.61}, "undecided"),
        ({"above": 0.99}, "does not hold"),
        ({"below": 0.99}, "holds"),
        ({"below": 0.97}, "undecided"),
        ({"below": 0.59}, "does not hold"),
    ],
)
def test_claim_on_a_rate_needs_the_whole_interval(claim, verdict):
    assert judged({"condition": "instructed", **claim}, instructed="SSSSSSSSSF") == verdict


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [  # 40 points lower, between 23 and 57
        ({"lower_by": 0.2}, "holds"),
        ({"lower_by": 0.4}, "undecided"),
        ({"lower_by": 0.6}, "does not hold"),
        ({"higher_by": 0.1}, "does not hold"),
    ],
)
def test_claim_on_a_difference_needs_the_whole_paired_interval(claim, verdict):
    claim = {"condition": "held_out", "than": "instructed", **claim}
    assert judged(claim, instructed="S" * 30, held_out="S" * 18 + "F" * 12) == verdict
    swapped = claim | {"condition": "instructed", "than": "held_out"}
    other = {"lower_by": "higher_by", "higher_by": "lower_by"}
    swapped = {other.get(name, name): value for name, value in swapped.items()}
    assert judged(swapped, instructed="S" * 30, held_out="S" * 18 + "F" * 12) == verdict


@pytest.mark.parametrize(
    ("instructed", "held_out"),
    [("SSSSS", "FFFFF"), ("SSSSS", "SSSSS"), ("S" * 5 + "C" * 25, "F" * 30), ("C" * 30, "S" * 30)],
    ids=["few that differ", "few that agree", "few that did not crash", "all crashed"],
)
def test_few_pairs_decide_nothing(instructed, held_out):
    claim = {"condition": "held_out", "than": "instructed", "lower_by": 0.1}
    assert judged(claim, instructed=instructed, held_out=held_out) == "undecided"


def test_difference_that_mcnemar_does_not_show_does_not_hold():
    claim = {"condition": "held_out", "than": "instructed", "lower_by": 0.01}
    instructed, held_out = "S" * 12, "F" * 4 + "S" * 8
    found = compare(episodes(instructed), episodes(held_out))
    assert found.difference_high < -0.01, "the bootstrap alone would do"
    assert judged(claim, instructed=instructed, held_out=held_out) == "undecided"


def test_nothing_is_claimed_of_a_task_that_crashed():
    claim = {"condition": "instructed", "below": 0.5}
    assert judged(claim, instructed="CCC") == "undecided"
