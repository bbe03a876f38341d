"""LIBERO: fixed initial states, each used once; pictures that are the package's; nothing unpickled."""

import importlib.util
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.project import ROOT
from vla.config.evaluation import EvaluationSection
from vla.data.spec import DataSpec
from vla.errors import UserError
from vla.evaluation.evaluator import Evaluator
from vla.evaluation.film import SIZE, film
from vla.evaluation.protocol import plan_episodes
from vla.plan.reading import load_experiment
from vla.policies.bc import config as bc
from vla.policies.building import build_policy
from vla.simulation.libero.config import Config
from vla.simulation.libero.initial_states import read_initial_states

# `make libero` installs it; with VLA_LIBERO_REQUIRED=1 its absence is a failure.
needs_libero = pytest.mark.skipif(
    importlib.util.find_spec("libero") is None and os.environ.get("VLA_LIBERO_REQUIRED") != "1",
    reason="LIBERO is not installed: make libero",
)
NAME = "pick_up_the_black_bowl_between_the_plate_and_the_ramekin_and_place_it_on_the_plate"
SENTENCE = NAME.replace("_", " ")
CAMERAS = {"image": "agentview", "image2": "robot0_eye_in_hand"}
PUBLISHED = Config(cameras=CAMERAS)
EXPERIMENT = ROOT / "experiments/exp_102_libero_spatial/config.yaml"
OWN = Config(cameras=CAMERAS, protocol="own", settle_steps=2)


def simulator(settings: Config):
    from vla.simulation.libero.simulator import Simulator

    return Simulator(settings)


@pytest.fixture(scope="module")
def make_task():
    """Tasks that are closed in the end; making one takes seconds."""
    made = []

    def make(settings: Config = PUBLISHED, max_steps: int = 220):
        made.append(simulator(settings).make(SENTENCE, tuple(CAMERAS), 32, max_steps))
        return made[-1]

    yield make
    for task in made:
        task.close()


@pytest.fixture(scope="module")
def task(make_task):
    return make_task()


def episode(task, seed: int, actions: int = 6) -> list[np.ndarray]:
    """All that an episode gives: observations, and pictures that are taken now and then."""
    random = np.random.default_rng(0)
    seen = [task.reset(seed=seed)[0]]
    for number in range(actions):
        seen.append(task.step(random.uniform(-1, 1, 7))[0])
        if number % 3 == 0:
            seen += task.pictures().values()
    return [*seen, *task.pictures().values()]


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@needs_libero
def test_episode_is_the_same_twice_whatever_came_before_and_in_another_environment(task, make_task):
    first = episode(task, 3)
    other = episode(task, 4)
    assert not np.array_equal(first[0], other[0])
    assert equal(first, episode(task, 3))
    assert equal(first, episode(make_task(), 3))


@needs_libero
def test_pictures_and_proprioception_are_the_packages_own(task):
    """Bit for bit, turned by 180 degrees: what published policies were evaluated with."""
    from vla.simulation.libero.environment import NO_MOTION
    from vla.simulation.libero.packages import file_of, robosuite_environment

    states = read_initial_states(file_of("init_states", "libero_spatial", f"{NAME}.pruned_init"))
    package = robosuite_environment()(
        bddl_file_name=str(file_of("bddl_files", "libero_spatial", f"{NAME}.bddl")),
        camera_heights=32,
        camera_widths=32,
    )
    package.seed(0)
    package.reset()
    package.set_init_state(states[0])
    for _ in range(PUBLISHED.settle_steps):
        expected, _, _, _ = package.step(NO_MOTION)
    package.close()
    state, info = task.reset(seed=0)
    assert info["initial_state"] == 0
    for name, camera in CAMERAS.items():
        assert np.array_equal(task.pictures()[name], expected[f"{camera}_image"][::-1, ::-1])
    assert np.array_equal(state[:3], expected["robot0_eef_pos"].astype(np.float32))
    assert np.array_equal(state[6:], expected["robot0_gripper_qpos"].astype(np.float32))


@needs_libero
def test_policy_is_evaluated_and_filmed(make_task):
    """The same code path as a big one: dataset's names of cameras and sentences, pictures by size."""
    config = EvaluationSection[Config](
        simulator=OWN, tasks=(SENTENCE,), episodes_per_task=1, max_steps=3, execute_steps=2,
        first_seed=0,
    )  # fmt: skip
    spec = DataSpec(
        cameras=tuple(CAMERAS),
        image_size=32,
        sentences=(SENTENCE,),
        state_mean=(0.0,) * 8,
        state_std=(1.0,) * 8,
        action_low=(-1.0,) * 7,
        action_high=(1.0,) * 7,
    )
    policy = build_policy(bc.Config(chunk_length=2, max_words=20), spec).eval()
    evaluator = Evaluator(policy, config)
    known = [{"name": SENTENCE, "instructions": [SENTENCE], "held_out": []}]
    (plan,) = plan_episodes(config, evaluator.simulator, "instructed", known, [-1])
    result = evaluator.run(plan)
    assert (result.error, result.outcome, result.steps) == ("", "failure", 3)
    assert film(result, evaluator.run).startswith(b"GIF")
    assert evaluator._task.pictures(SIZE)["image"].shape == (SIZE, SIZE, 3)
    evaluator.close()


@needs_libero
def test_packages_folder_that_stands_twice_in_the_search_path_as_in_snakemakes_jobs(monkeypatch):
    from vla.simulation.libero.packages import file_of

    monkeypatch.setattr(sys, "path", [*sys.path, *sys.path])
    assert file_of("init_states", "libero_spatial", f"{NAME}.pruned_init.npz").is_file()


@needs_libero
def test_each_fixed_initial_state_begins_one_episode_before_any_begins_two():
    one = simulator(PUBLISHED)
    seeds = [one.seed(SENTENCE, 5_000_000, episode) for episode in range(50)]
    assert sorted(seed % 1000 for seed in seeds) == list(range(50))
    assert one.seed(NAME, 5_000_000, 0) == seeds[0], "a task's name and its sentence mean the same"
    with pytest.raises(UserError, match="50 fixed initial states: episode 51 would begin as epis"):
        one.seed(SENTENCE, 5_000_000, 50)
    again = simulator(Config(protocol="own", reuse_initial_states=True))
    assert again.seed(SENTENCE, 5_000_000, 50) % 1000 % 50 == 0
    with pytest.raises(UserError, match="multiple of 1000"):
        one.seed(SENTENCE, 7, 0)


@needs_libero
def test_suites_are_complete_and_no_two_tasks_share_a_seed():
    from vla.simulation.libero.suites import HORIZONS, initial_states, tasks_of

    sizes = {suite: len(tasks_of(suite)) for suite in HORIZONS}
    assert sizes == {
        "libero_spatial": 10, "libero_object": 10, "libero_goal": 10, "libero_10": 10,
        "libero_90": 90,
    }  # fmt: skip
    seeds = set()
    for suite in HORIZONS:
        suited = simulator(Config(suite=suite))
        for name in tasks_of(suite):
            assert len(initial_states(suite, name)) == 50
            seeds.add(suited.seed(name, 0, 0))
    assert len(seeds) == 130


@needs_libero
def test_shipped_experiment_evaluates_the_whole_suite_by_the_published_protocol():
    from vla.simulation.libero.suites import HORIZONS, tasks_of

    asked = load_experiment(EXPERIMENT).evaluation
    suite = asked.simulator.suite
    assert set(asked.tasks) == {task.language for task in tasks_of(suite).values()}
    assert asked.max_steps == HORIZONS[suite]
    assert (asked.simulator.protocol, asked.episodes_per_task) == ("published", 50)


@needs_libero
def test_task_of_another_suite_and_sentence_of_two_tasks_are_refused_by_name():
    with pytest.raises(UserError, match="libero_goal has no task 'pick_up"):
        simulator(Config(suite="libero_goal")).seed(NAME, 0, 0)
    with pytest.raises(UserError, match="tasks of libero_90 are described by 'turn on the stove'"):
        simulator(Config(suite="libero_90")).seed("turn on the stove", 0, 0)


@needs_libero
def test_published_protocol_refuses_another_horizon():
    with pytest.raises(UserError, match="published scores of libero_spatial are for 220"):
        simulator(PUBLISHED).make(SENTENCE, ("image",), 32, 150)


def test_published_protocol_refuses_other_settings_and_own_allows_them():
    for name, value in (("settle_steps", 0), ("pictures", "fast"), ("rotate_pictures", False)):
        with pytest.raises(ValidationError, match=f"{name}.*set protocol: own"):
            Config(**{name: value})
        assert getattr(Config(protocol="own", **{name: value}), name) == value


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


@pytest.mark.parametrize("kind", ["pruned_init of PyTorch", "plain pickle", "archive"])
def test_malicious_file_of_initial_states_runs_nothing(tmp_path, kind):
    trace, path = tmp_path / "executed", tmp_path / "task.pruned_init"
    content = Malicious(trace)
    if kind == "archive":
        states = np.array([[content]], dtype=object)
        np.savez(tmp_path / "task.pruned_init.npz", states=states)
    elif kind == "plain pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(UserError, match="can be read safely"):
        read_initial_states(path)
    assert not trace.exists()


def test_initial_states_as_libero_itself_ships_them_are_read(tmp_path):
    states = np.arange(6, dtype=np.float64).reshape(2, 3)
    torch.save(states, tmp_path / "task.pruned_init")
    assert np.array_equal(read_initial_states(tmp_path / "task.pruned_init"), states)
    with pytest.raises(UserError, match="no initial states"):
        read_initial_states(tmp_path / "none.pruned_init")
