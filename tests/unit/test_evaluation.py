"""Evaluation: seeds no demonstration used, an outcome for every episode, the same for any workers."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.records import POLICY_FACTS
from vla.config.evaluation import EvaluationSection
from vla.errors import UserError
from vla.evaluation.episodes import crash_reports, episodes_table, read_results
from vla.evaluation.evaluator import Evaluator
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodePlan, EpisodeResult, plan_episodes
from vla.evaluation.workers import evaluator_maker, run_episodes
from vla.policies.building import build_policy
from vla.policies.storage import load_policy, save_policy
from vla.process.determinism import set_determinism
from vla.simulation.metaworld.config import Config
from vla.simulation.metaworld.environment import SEEDS_PER_TASK, task_seed
from vla.simulation.metaworld.simulator import Simulator

BUTTON, FAUCET = "button-press-topdown-v3", "faucet-open-v3"
Section = EvaluationSection[Config]
CONFIG = Section(tasks=(BUTTON,), episodes_per_task=2, max_steps=20, execute_steps=4)
SIMULATOR = Simulator(Config())


@dataclass(frozen=True)
class Runs:
    """Stands for an evaluator in a worker process; `run` is a function that these can import."""

    run: Callable[[EpisodePlan], EpisodeResult]


def maker(run: Callable[[EpisodePlan], EpisodeResult]) -> Callable[[], Runs]:
    return partial(Runs, run)


def first_last_and_third_dies(plan: EpisodePlan) -> EpisodeResult:
    """Stands here because worker processes import it; the instruction names a file."""
    flag = Path(plan.instruction)
    if plan.episode == 2:
        flag.touch()
        os._exit(1)
    while plan.episode == 0 and not flag.exists():
        time.sleep(0.01)
    return EpisodeResult(plan, "success", 7, 0.1)


@pytest.fixture(scope="module")
def plans(store):
    return plan_episodes(CONFIG, SIMULATOR, "instructed", store.tasks, store.seeds)


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "episodes.journal")


@pytest.fixture(scope="module")
def results(plans, policy_file, tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("evaluation") / "episodes.journal")
    return run_episodes(plans, evaluator_maker(policy_file, CONFIG, "cpu"), 1, journal)


class TellsItsSwitches(Evaluator):
    def run(self, plan: EpisodePlan) -> EpisodeResult:
        switches = {
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            "tf32_cudnn": torch.backends.cudnn.allow_tf32,
            "threads": torch.get_num_threads(),
        }
        return EpisodeResult(plan, "failure", 0, 0.0, json.dumps(switches))


def must_not_run(plan: EpisodePlan) -> EpisodeResult:
    raise AssertionError(f"{plan} ran again")


def only_the_second_may_run(plan: EpisodePlan) -> EpisodeResult:
    assert plan.episode == 1
    return EpisodeResult(plan, "success", 7, 0.1)


def without_time(results: list[EpisodeResult]) -> list[EpisodeResult]:
    return [replace(result, seconds=0.0) for result in results]


def test_episodes_of_every_task_with_seeds_of_their_own(store):
    config = Section(episodes_per_task=5)
    plans = plan_episodes(config, SIMULATOR, "instructed", store.tasks, store.seeds)
    assert [plan.task for plan in plans] == [BUTTON] * 5 + [FAUCET] * 5
    assert [plan.episode for plan in plans] == [*range(5), *range(5)]
    seeds = {plan.seed for plan in plans}
    assert len(seeds) == 10
    assert not seeds & set(store.seeds)
    said = store.tasks[0]["instructions"]
    assert [plan.instruction for plan in plans[:5]] == [said[i % 2] for i in range(5)]


def test_conditions_differ_in_the_words_alone(store):
    config = Section(tasks=(BUTTON,), episodes_per_task=2)
    instructed, held_out, hidden = (
        plan_episodes(config, SIMULATOR, condition, store.tasks, ())
        for condition in ("instructed", "held_out", "no_instruction")
    )
    assert {plan.instruction for plan in held_out} == {"hit the switch"}
    assert {plan.instruction for plan in hidden} == {""}
    for other in (held_out, hidden):
        assert [replace(plan, instruction="") for plan in other] == [
            replace(plan, instruction="") for plan in instructed
        ]


def test_seed_of_a_demonstration_is_refused(store):
    used = task_seed(FAUCET, 5_000_000, 3)
    config = Section(episodes_per_task=4)
    with pytest.raises(UserError, match=f"such as {used}"):
        plan_episodes(config, SIMULATOR, "instructed", store.tasks, (*store.seeds, used))
    fewer = Section(episodes_per_task=3)
    assert plan_episodes(fewer, SIMULATOR, "instructed", store.tasks, (used,))


def test_more_episodes_than_a_task_has_seeds_are_refused(store):
    config = Section(episodes_per_task=SEEDS_PER_TASK + 1)
    with pytest.raises(UserError, match="episodes_per_task"):
        plan_episodes(config, SIMULATOR, "instructed", store.tasks, ())


def test_task_without_held_out_sentence_is_refused(store):
    with pytest.raises(UserError, match=f"no held-out sentence for {FAUCET}"):
        plan_episodes(Section(), SIMULATOR, "held_out", store.tasks, ())


def test_task_the_policy_never_saw_is_refused(store):
    config = Section(tasks=("door-open-v3",))
    with pytest.raises(UserError, match="'door-open-v3', which the training data") as caught:
        plan_episodes(config, SIMULATOR, "instructed", store.tasks, ())
    assert BUTTON in caught.value.way_out


def test_outcomes_are_the_same_for_any_number_of_workers(results, plans, policy_file, journal):
    assert [result.plan for result in results] == plans
    for result in results:
        assert (result.outcome, result.steps, result.error) == ("failure", 20, "")
    side_by_side = run_episodes(plans, evaluator_maker(policy_file, CONFIG, "cpu"), 2, journal)
    assert without_time(side_by_side) == without_time(results)


def test_workers_run_under_the_switches_that_the_record_names(plans, policy_file, journal):
    make = partial(make_switches, policy_file)
    (result,) = run_episodes(plans[:1], make, 1, journal)
    assert json.loads(result.error).items() <= set_determinism(threads=1).items()


def make_switches(policy_file: Path) -> Evaluator:
    return TellsItsSwitches(load_policy(policy_file), CONFIG)


def test_episode_whose_process_dies_is_a_crash_alone(tmp_path, journal):
    plans = [EpisodePlan(BUTTON, number, number, str(tmp_path / "flag")) for number in range(3)]
    results = run_episodes(plans, maker(first_last_and_third_dies), 2, journal)
    assert [result.plan for result in results] == plans
    assert [result.outcome for result in results] == ["success", "success", "crash"]
    assert "process died" in results[2].error


def test_episodes_that_are_known_do_not_run_again(results, plans, journal):
    for result in results:
        journal.append(result)
    again = run_episodes(plans, maker(must_not_run), 1, journal)
    assert again == results


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_line_of_the_journal_runs_again(results, plans, journal, damage):
    """As when the process was killed while it wrote."""
    for result in results:
        journal.append(result)
    text = journal.path.read_text()
    if damage == "cut":
        journal.path.write_text(text[:-20])
    else:
        first, second = text.splitlines()
        journal.path.write_text(f"{first}\n{second.replace('failure', 'success')}\n")
    again = run_episodes(plans, maker(only_the_second_may_run), 1, journal)
    assert again[0] == results[0]
    assert again[1].steps == 7
    assert journal.read() == {result.plan: result for result in again}


def test_mistake_found_by_a_worker_ends_the_evaluation_with_its_message(policy_file, journal):
    """Counted as crashes, such episodes would hide what the user has to mend."""
    plans = [EpisodePlan("open the faucet", 0, 1, "")]
    with pytest.raises(UserError, match="no task 'open the faucet'"):
        run_episodes(plans, evaluator_maker(policy_file, CONFIG, "cpu"), 1, journal)


def test_error_in_an_episode_is_a_crash_with_its_text(policy_file):
    evaluator = Evaluator(load_policy(policy_file, "cpu"), CONFIG)
    plan = EpisodePlan(BUTTON, 0, 1, "one word more than there are places")
    result = evaluator.run(plan)
    evaluator.close()
    assert (result.outcome, result.steps) == ("crash", 0)
    assert "has 7 words" in result.error


def test_an_evaluator_runs_tasks_in_any_order(results, plans, policy_file):
    """It keeps a task between episodes; the one before must not show in the next."""
    evaluator = Evaluator(load_policy(policy_file, "cpu"), CONFIG)
    other = EpisodePlan(FAUCET, 0, 3, "open the faucet")
    order = [plans[1], other, plans[0]]
    found = [evaluator.run(plan) for plan in order]
    evaluator.close()
    assert without_time([found[2], found[0]]) == without_time(results)


def test_camera_that_the_simulator_does_not_have_is_refused_before_any_episode(
    store, make_config, tmp_path
):
    """In an episode it would be a crash, and a hundred of them."""
    spec = replace(store.spec, cameras=("wrist",))
    path = tmp_path / "policy.safetensors"
    save_policy(build_policy(make_config().model, spec), path, POLICY_FACTS)
    with pytest.raises(UserError, match="no camera 'wrist'") as caught:
        Evaluator(load_policy(path, "cpu"), CONFIG)
    assert "side, front, top" in caught.value.way_out


def test_text_of_a_crash_is_no_part_of_the_table(results, plans, tmp_path):
    """It names lines of code: the same key would have other bytes."""
    crashed = [replace(results[0], outcome="crash", error=f"line {number}") for number in (1, 2)]
    first, second = (episodes_table([one, results[1]], "instructed", 1) for one in crashed)
    pd.testing.assert_frame_equal(first, second)
    assert list(first["success"]) == [False, False]
    assert crash_reports([crashed[0], results[1]]) == [
        {"task": BUTTON, "episode": 0, "seed": plans[0].seed, "error": "line 1"}
    ]


def test_episodes_are_read_as_they_were_written(results, tmp_path):
    path = tmp_path / "episodes.parquet"
    episodes_table(results, "instructed", 1).to_parquet(path, index=False)
    assert read_results(path) == without_time(results)
