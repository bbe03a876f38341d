"""Evaluation: seeds no demonstration used, an outcome for every episode, the same for any workers."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import imageio.v3 as imageio
import pytest
import torch

from vla.config.evaluation import EvaluationSection
from vla.errors import UserError
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodePlan, plan_episodes
from vla.evaluation.rollout import EpisodeResult, run_episode
from vla.evaluation.video import EVERY, SIZE, choose, film
from vla.evaluation.workers import run_episodes
from vla.policies.storage import load_policy
from vla.process.determinism import set_determinism
from vla.simulation.metaworld.environment import SEEDS_PER_TASK, MetaWorldEnv, task_seed

BUTTON, FAUCET = "button-press-topdown-v3", "faucet-open-v3"
CONFIG = EvaluationSection(tasks=(BUTTON,), episodes_per_task=2, max_steps=20, execute_steps=4)


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
    return plan_episodes(CONFIG, "instructed", store.tasks, store.seeds)


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "episodes.journal")


@pytest.fixture(scope="module")
def results(plans, policy_file, tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("evaluation") / "episodes.journal")
    return run_episodes(plans, policy_file, CONFIG, "cpu", 1, journal)


def tells_its_switches(plan: EpisodePlan) -> EpisodeResult:
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


def rows(results: list[EpisodeResult]) -> list[dict]:
    return [{k: v for k, v in result.row().items() if k != "seconds"} for result in results]


def test_episodes_of_every_task_with_seeds_of_their_own(store):
    config = EvaluationSection(episodes_per_task=5)
    plans = plan_episodes(config, "instructed", store.tasks, store.seeds)
    assert [plan.task for plan in plans] == [BUTTON] * 5 + [FAUCET] * 5
    assert [plan.episode for plan in plans] == [*range(5), *range(5)]
    seeds = {plan.seed for plan in plans}
    assert len(seeds) == 10
    assert not seeds & set(store.seeds)
    said = store.tasks[0]["instructions"]
    assert [plan.instruction for plan in plans[:5]] == [said[i % 2] for i in range(5)]


def test_conditions_differ_in_the_words_alone(store):
    config = EvaluationSection(tasks=(BUTTON,), episodes_per_task=2)
    instructed, held_out, hidden = (
        plan_episodes(config, condition, store.tasks, ())
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
    config = EvaluationSection(episodes_per_task=4)
    with pytest.raises(UserError, match=f"such as {used}"):
        plan_episodes(config, "instructed", store.tasks, (*store.seeds, used))
    fewer = EvaluationSection(episodes_per_task=3)
    assert plan_episodes(fewer, "instructed", store.tasks, (used,))


def test_more_episodes_than_a_task_has_seeds_are_refused(store):
    config = EvaluationSection(episodes_per_task=SEEDS_PER_TASK + 1)
    with pytest.raises(UserError, match="episodes_per_task"):
        plan_episodes(config, "instructed", store.tasks, ())


def test_task_without_held_out_sentence_is_refused(store):
    with pytest.raises(UserError, match=f"no held-out sentence for {FAUCET}"):
        plan_episodes(EvaluationSection(), "held_out", store.tasks, ())


def test_task_the_policy_never_saw_is_refused(store):
    config = EvaluationSection(tasks=("door-open-v3",))
    with pytest.raises(UserError, match="'door-open-v3', which the training data") as caught:
        plan_episodes(config, "instructed", store.tasks, ())
    assert BUTTON in caught.value.way_out


def test_outcomes_are_the_same_for_any_number_of_workers(results, plans, policy_file, journal):
    assert [result.plan for result in results] == plans
    for result in results:
        assert (result.outcome, result.steps, result.error) == ("failure", 20, "")
    side_by_side = run_episodes(plans, policy_file, CONFIG, "cpu", 2, journal)
    assert rows(side_by_side) == rows(results)


def test_workers_run_under_the_switches_that_the_record_names(plans, policy_file, journal):
    arguments = (plans[:1], policy_file, CONFIG, "cpu", 1, journal)
    (result,) = run_episodes(*arguments, episode=tells_its_switches)
    assert json.loads(result.error).items() <= set_determinism(threads=1).items()


def test_episode_whose_process_dies_is_a_crash_alone(policy_file, tmp_path, journal):
    plans = [EpisodePlan(BUTTON, number, number, str(tmp_path / "flag")) for number in range(3)]
    results = run_episodes(
        plans, policy_file, CONFIG, "cpu", 2, journal, episode=first_last_and_third_dies
    )
    assert [result.plan for result in results] == plans
    assert [result.outcome for result in results] == ["success", "success", "crash"]
    assert "process died" in results[2].error


def test_episodes_that_are_known_do_not_run_again(results, plans, policy_file, journal):
    for result in results:
        journal.append(result)
    again = run_episodes(plans, policy_file, CONFIG, "cpu", 1, journal, episode=must_not_run)
    assert again == results


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_line_of_the_journal_runs_again(results, plans, policy_file, journal, damage):
    """As when the process was killed while it wrote."""
    for result in results:
        journal.append(result)
    text = journal.path.read_text()
    if damage == "cut":
        journal.path.write_text(text[:-20])
    else:
        first, second = text.splitlines()
        journal.path.write_text(f"{first}\n{second.replace('failure', 'success')}\n")
    arguments = (plans, policy_file, CONFIG, "cpu", 1, journal)
    again = run_episodes(*arguments, episode=only_the_second_may_run)
    assert again[0] == results[0]
    assert again[1].steps == 7
    assert journal.read() == {result.plan: result for result in again}


def test_mistake_found_by_a_worker_ends_the_evaluation_with_its_message(policy_file, journal):
    """Counted as crashes, such episodes would hide what the user has to mend."""
    plans = [EpisodePlan("open the faucet", 0, 1, "")]
    with pytest.raises(UserError, match="no task 'open the faucet'"):
        run_episodes(plans, policy_file, CONFIG, "cpu", 1, journal)


def test_error_in_an_episode_is_a_crash_with_its_text(policy_file):
    env = MetaWorldEnv(BUTTON, image_size=16, max_steps=20)
    plan = EpisodePlan(BUTTON, 0, 1, "one word more than there are places")
    result = run_episode(load_policy(policy_file), env, plan, CONFIG)
    env.close()
    assert (result.outcome, result.steps) == ("crash", 0)
    assert "has 7 words" in result.error
    assert result.row()["success"] is False


def test_failures_are_filmed_first_and_crashes_never():
    outcomes = [
        ("b", "success"),
        ("a", "success"),
        ("a", "crash"),
        ("a", "failure"),
        ("b", "crash"),
    ]
    results = [
        EpisodeResult(EpisodePlan(task, number, number, ""), outcome, 1, 0.1)
        for number, (task, outcome) in enumerate(outcomes)
    ]
    assert choose(results, 1) == [results[3], results[0]]
    assert choose(results, 2) == [results[3], results[1], results[0]]
    assert choose(results, 0) == []


def test_film_is_a_readable_gif_of_the_same_episode(results, policy_file, tmp_path):
    (path,) = film(results[:1], policy_file, CONFIG, "cpu", tmp_path)
    assert path.name == f"{BUTTON}-000-failure.gif"
    frames = imageio.imread(path)
    assert frames.shape == (20 // EVERY + 1, SIZE, SIZE, 3)  # the start, then to the end
    assert frames.std() > 10
    assert list(tmp_path.iterdir()) == [path]


def test_episode_that_does_not_repeat_is_not_filmed(results, policy_file, tmp_path):
    wrong = replace(results[0], outcome="success", steps=3)
    with pytest.raises(UserError, match="does not repeat"):
        film([wrong], policy_file, CONFIG, "cpu", tmp_path)
    assert not list(tmp_path.iterdir())
