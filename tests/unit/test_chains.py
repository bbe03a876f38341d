"""Chains of subtasks: run, kept, read again, and counted by chains."""

import numpy as np
import pandas as pd
import pytest

from vla.config.evaluation import EvaluationSection
from vla.errors import UserError
from vla.evaluation.episodes import episodes_table, read_results
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodePlan, EpisodeResult, plan_episodes
from vla.evaluation.rollout import run_episode
from vla.policies.storage import load_policy
from vla.simulation.protocol import CHAIN, SimulatedTask, Subtask
from vla.statistics.chains import average_length, chain_rates
from vla.statistics.comparison import compare
from vla.statistics.summary import summarise

LINKS = tuple(Subtask(name, f"do {name}") for name in "abcde")


class Steps(SimulatedTask):
    """Each subtask takes as many steps as its place in the alphabet; `d` cannot be done."""

    task = CHAIN

    def __init__(self):
        self.begun: list[str] = []

    def reset(self, *, seed=None, options=None):
        return np.zeros(4, np.float32), {}

    def begin(self, subtask):
        self.begun.append(subtask)
        self.steps = 0
        return np.zeros(4, np.float32)

    def step(self, action):
        self.steps += 1
        success = self.begun[-1] != "d" and self.steps == "abcde".index(self.begun[-1]) + 1
        state = np.zeros(4, np.float32)
        return state, 0.0, success, not success and self.steps == 9, {"success": success}

    def pictures(self, size=None):
        return {"side": np.zeros((16, 16, 3), np.uint8)}


def result(number: int, solved: int, steps: int = 2) -> EpisodeResult:
    plan = EpisodePlan(CHAIN, number, number, "", LINKS)
    begun = (steps,) * min(solved + 1, 5)
    outcome = "success" if solved == 5 else "failure"
    return EpisodeResult(plan, outcome, sum(begun), 0.0, "", begun)


def table(*solved: int) -> pd.DataFrame:
    results = [result(number, count) for number, count in enumerate(solved)]
    return episodes_table(results, "instructed", 1)


def test_a_chain_ends_with_the_first_subtask_that_fails(policy_file):
    env, plan = Steps(), EpisodePlan(CHAIN, 0, 0, "", LINKS)
    policy = load_policy(policy_file, "cpu")
    ended = run_episode(policy, env, plan, EvaluationSection(execute_steps=2))
    assert ended.error == ""
    assert env.begun == ["a", "b", "c", "d"]
    assert (ended.outcome, ended.solved) == ("failure", 3)
    assert (ended.subtask_steps, ended.steps) == ((1, 2, 3, 9), 15)


def test_rows_say_what_was_not_reached_and_come_back(tmp_path):
    results = [result(0, 0), result(1, 3), result(2, 5)]
    rows = episodes_table(results, "instructed", 7)
    assert rows["outcome"].tolist()[:5] == ["failure", *["not reached"] * 4]
    assert rows["position"].tolist() == [1, 2, 3, 4, 5] * 3
    path = tmp_path / "episodes.parquet"
    rows.to_parquet(path, index=False)
    assert read_results(path) == results
    journal = Journal(tmp_path / "journal")
    for one in results:
        journal.append(one)
    assert list(journal.read().values()) == results


def test_rates_in_a_row_and_by_subtask():
    rates = summarise(table(0, 1, 1, 3, 5), None)
    content = rates.conditions["instructed"]
    assert [rate.successes for rate in content.chains.in_a_row] == [4, 2, 2, 1, 1]
    assert content.chains.average_length == 2.0
    assert content.overall.rate == pytest.approx(2 / 5)
    reached = {task: (rate.successes, rate.episodes) for task, rate in content.by_task.items()}
    assert reached == {"a": (4, 5), "b": (2, 4), "c": (2, 2), "d": (1, 2), "e": (1, 1)}
    assert rates.statement.startswith("average length 2.00 [")


def test_interval_takes_chains_and_not_subtasks_as_units():
    """All or nothing: 200 subtasks, but only 40 independent outcomes."""
    mean, low, high = average_length(table(*[5, 0] * 20))
    assert mean == 2.5
    assert 1.3 < high - low < 1.8  # 5 x 2 x 1.96 x sqrt(0.25 / 40) is 1.55; of 200 it would be 0.69
    same, least, most = average_length(table(*[0] * 40))
    assert (same, least) == (0, 0)
    assert most == pytest.approx(5 * 0.0876, abs=0.01)  # Wilson of 0 in 40


def test_crashed_chains_belong_to_no_rate():
    plan = EpisodePlan(CHAIN, 9, 9, "", LINKS)
    crash = EpisodeResult(plan, "crash", 4, 0.0, "broke", (4,))
    rows = pd.concat([table(5, 5), episodes_table([crash], "instructed", 1)], ignore_index=True)
    rates = summarise(rows, 0.5).conditions["instructed"]
    assert (rates.overall.crashes, rates.overall.rate, rates.chains.chains) == (1, 1.0, 2)
    assert chain_rates(rows[rows["outcome"] == "crash"]) is None


def test_comparison_pairs_chains():
    better, worse = table(*[2] * 20), table(*[1, 0] * 10)
    paired = compare(worse, better)
    assert paired.pairs == 20  # chains, by their first subtask
    assert (paired.only_candidate, paired.only_baseline) == (10, 0)
    assert paired.difference == pytest.approx(1.5 / 5)
    assert 0.2 < paired.difference_low < paired.difference < paired.difference_high < 0.4


class Chains:
    def chains(self):
        return (LINKS, LINKS[::-1])


def test_chains_are_planned_in_the_sentences_of_their_benchmark():
    section = EvaluationSection()
    first, second = plan_episodes(section, Chains(), "instructed", [], [0, 1])
    assert (first.seed, first.chain, second.seed) == (0, LINKS, 1)
    hidden = plan_episodes(section, Chains(), "no_instruction", [], [])
    assert hidden[0].sentences == ("",) * 5
    with pytest.raises(UserError, match="held-out"):
        plan_episodes(section, Chains(), "held_out", [], [])
    with pytest.raises(UserError, match="fixes its chains"):
        plan_episodes(EvaluationSection(tasks=("a",)), Chains(), "instructed", [], [])
