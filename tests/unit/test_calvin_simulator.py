"""The real simulator, where a checkout of calvin_env is (tests/calvin.py)."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.calvin_experts import run_chain, scripted_chains
from tests.calvin import COMMIT, needs_calvin, together
from vla.config.demonstrations import DemonstrationsConfig
from vla.data.calvin.layout import SPLITS
from vla.data.formats.calvin.reader import Reader
from vla.evaluation.episodes import episodes_table
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.evaluation.workers import run_episodes
from vla.simulation.calvin.chain import Chain
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.demonstrations import collect_task, write_dataset
from vla.simulation.calvin.simulator import Simulator
from vla.simulation.protocol import CHAIN, Subtask

pytestmark = [needs_calvin, together, pytest.mark.filterwarnings("ignore")]
SETTINGS = Config(commit=COMMIT, pictures="direct")


@pytest.fixture(scope="module")
def env():
    env = Chain(SETTINGS, ("static", "gripper"), image_size=16)
    yield env
    env.close()


def test_experts_solve_official_chains_and_a_robot_that_stands_still_none(env):
    plans = scripted_chains(4)
    assert sum(run_chain(env, plan, speed=1.0).solved for plan in plans) >= 12
    for plan in plans[:2]:
        env.reset(seed=plan.seed)
        still = np.array([0, 0, 0, 0, 0, 0, 1.0])
        ends = [env.step(still)[2:4] for _ in range(360)]
        assert ends == [(False, False)] * 359 + [(False, True)]


def test_expert_presses_until_a_led_that_was_on_at_the_start_is_off(env):
    """In 1431a46 that takes two presses."""
    plans = [p for p in scripted_chains(88) if any(s.task == "turn_off_led" for s in p.chain)]
    plan = replace(plans[0], chain=(Subtask("turn_off_led", ""),))
    assert run_chain(env, plan, speed=1.0).solved == 1


def test_a_chain_is_the_same_whatever_ran_before(env):
    def trace(seed: int) -> str:
        digest = hashlib.sha256(env.reset(seed=seed)[0].tobytes())
        random = np.random.default_rng(seed)
        for _ in range(40):
            digest.update(env.step(np.append(random.uniform(-1, 1, 6), -1))[0].tobytes())
        for picture in env.pictures().values():
            digest.update(picture.tobytes())
        return digest.hexdigest()

    first = trace(3)
    trace(4)
    assert trace(3) == first
    assert env.reset(seed=3)[0][14] == 1  # not the last gripper action of the chain before


def test_pictures_show_the_scene(env):
    env.reset(seed=0)
    small, large = env.pictures(), env.pictures(64)
    assert {name: picture.shape for name, picture in small.items()} == {
        "static": (16, 16, 3),
        "gripper": (16, 16, 3),
    }
    assert large["static"].std() > 20
    assert not np.array_equal(large["static"], large["gripper"])


def test_score_names_commit_and_renderer():
    described = Simulator(SETTINGS).renderer()
    assert described["renderer"] == f"TinyRenderer, pybullet 3.2.7, calvin_env {COMMIT}"
    assert len(Simulator(Config(chains=3)).chains()) == 3


class Noise:
    """A policy without weights: experts with random twitches, so that contacts matter."""

    def __init__(self):
        self.env = Chain(SETTINGS, (), image_size=0, max_steps=60)

    def run(self, plan: EpisodePlan) -> EpisodeResult:
        self.env.reset(seed=plan.seed)
        random, steps = np.random.default_rng(plan.seed), 0
        done = success = False
        while not done:
            _, _, success, truncated, _ = self.env.step(np.append(random.uniform(-1, 1, 6), -1))
            steps, done = steps + 1, success or truncated
        outcome = "failure" if not success else "success"
        return EpisodeResult(plan, outcome, steps, 0.0, "", (steps,))


def test_two_and_four_processes_give_the_same_bytes(tmp_path):
    plans = [EpisodePlan(CHAIN, n, n, "", (Subtask("turn_on_led", ""),)) for n in range(6)]
    tables = []
    for workers in (2, 4):
        journal = Journal(tmp_path / f"{workers}.journal")
        results = run_episodes(plans, Noise, workers, journal)
        path = tmp_path / f"{workers}.parquet"
        episodes_table(results, "instructed", 1).to_parquet(path, index=False)
        tables.append(path.read_bytes())
    assert tables[0] == tables[1]
    assert len(pd.read_parquet(path)) == 6


def test_demonstrations_are_the_same_bytes_and_are_read(tmp_path):
    tasks = {"turn_on_led": {"instructions": ["light", "press"]}}
    config = DemonstrationsConfig[Config](
        simulator=SETTINGS, tasks=tasks, episodes_per_task=2, noise=0, image_size=16,
        cameras=("static", "gripper"), first_seed=2_000_000,
    )  # fmt: skip
    hashes = []
    for name in ("one", "two"):
        folder = tmp_path / name
        write_dataset(folder, collect_task(config, "turn_on_led"), config)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        hashes.append([(p.relative_to(folder), hashlib.sha256(p.read_bytes())) for p in files])
    digests = [[(name, digest.hexdigest()) for name, digest in part] for part in hashes]
    assert digests[0] == digests[1]
    splits = [Reader(folder / split) for split in SPLITS]
    assert [len(reader.lengths()) for reader in splits] == [1, 1]
    (episode,) = splits[0].read(("static",))
    assert np.abs(episode.action).max() <= 1
    assert set(np.unique(episode.action[:, 6])) <= {-1, 1}
