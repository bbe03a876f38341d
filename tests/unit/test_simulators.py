"""A simulator that this project has never heard of: one folder, and evaluation and film run it."""

import sys

import imageio.v3 as imageio
import numpy as np
import pytest

from tests.project import ROOT
from vla import plugins
from vla.config.evaluation import EvaluationSection
from vla.errors import UserError
from vla.evaluation.evaluator import Evaluator
from vla.evaluation.film import SIZE, film
from vla.evaluation.protocol import plan_episodes
from vla.plan.reading import load_experiment
from vla.policies.storage import load_policy
from vla.simulation.collecting import find_experts

CONFIG = """
from typing import Literal
from vla.config.evaluation import SimulatorSection

ENVIRONMENT, DISTRIBUTIONS = "evaluate", ("numpy",)

class Config(SimulatorSection):
    type: Literal["toy-table"] = "toy-table"
    length: int = 5
"""
SIMULATOR = """
import numpy as np
from vla.simulation import protocol

class Task(protocol.SimulatedTask):
    def __init__(self, task, cameras, image_size, max_steps, length):
        self.task, self.cameras, self.size, self.length = task, cameras, image_size, length
        self.max_steps = max_steps

    def reset(self, *, seed=None, options=None):
        self.steps, self.seed = 0, seed
        return np.zeros(4, np.float32), {}

    def step(self, action):
        assert action.shape == (4,)
        self.steps += 1
        success = self.seed % 2 == 0 and self.steps == self.length
        truncated = not success and self.steps >= self.max_steps
        return np.zeros(4, np.float32), 0.0, success, truncated, {"success": success}

    def pictures(self, size=None):
        size = size or self.size
        return {c: np.full((size, size, 3), 20 * self.steps, np.uint8) for c in self.cameras}

class Simulator(protocol.Simulator):
    cameras = ("side", "wrist")

    def seed(self, task, first_seed, episode):
        return first_seed + episode

    def make(self, task, cameras, image_size, max_steps):
        return Task(task, cameras, image_size, max_steps, self.settings.length)

    def renderer(self):
        return {"renderer": "none", "version": "1"}
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A project's folder plugins/ with a simulator; gives the settings' model."""
    folder = tmp_path / "plugins/simulators/toy_table"
    folder.mkdir(parents=True)
    (folder / "config.py").write_text(CONFIG)
    (folder / "simulator.py").write_text(SIMULATOR)
    (tmp_path / "vla").symlink_to(ROOT / "vla")
    monkeypatch.setattr(plugins, "ROOT", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield plugins.find_plugin("simulators", "toy-table").load("config").Config
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugins"]:
        del sys.modules[name]


def test_any_simulator_is_configured_run_and_filmed(toy, store, policy_file, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "experiment: {name: toy}\nmodel: {chunk_length: 4}\ntraining: {}\ndata: {}\n"
        "evaluation: {simulator: {type: toy-table, length: 3}, max_steps: 9, execute_steps: 2,\n"
        "  episodes_per_task: 2, first_seed: 10, tasks: [button-press-topdown-v3]}\n"
    )
    config = load_experiment(path).evaluation
    assert config.simulator == toy(length=3)
    evaluator = Evaluator(load_policy(policy_file, "cpu"), config)
    plans = plan_episodes(config, evaluator.simulator, "instructed", store.tasks, store.seeds)
    results = [evaluator.run(plan) for plan in plans]
    assert [result.error for result in results] == ["", ""]
    assert [(result.outcome, result.steps) for result in results] == [
        ("success", 3),
        ("failure", 9),
    ]
    frames = imageio.imread(film(results[0], evaluator.run), extension=".gif")
    assert frames.shape == (2, SIZE, SIZE, 3)  # the start and the end
    assert np.abs(frames[1].mean() - 60) < 1
    evaluator.close()


def test_setting_of_another_simulator_is_refused(toy, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "experiment: {name: toy}\nmodel: {}\ntraining: {}\ndata: {}\n"
        "evaluation: {simulator: {type: toy-table, object_range_x: 0.1}}\n"
    )
    with pytest.raises(UserError, match=r"object_range_x: unknown key; valid are: length, type"):
        load_experiment(path)


def test_simulator_without_experts_collects_no_demonstrations(toy):
    with pytest.raises(UserError, match="toy-table has no scripted experts"):
        find_experts(toy())


def test_a_section_without_simulator_names_the_default_one():
    assert EvaluationSection().simulator.type == "metaworld"
