"""Meta-World's 50 tasks by the common protocol: groups, starts, the pictures of published scores."""

import numpy as np
import pandas as pd
import pytest
from gymnasium.utils.env_checker import check_env
from pydantic import ValidationError

from tests.project import ROOT
from tools.beside_published import render
from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.plan.reading import load_demonstrations, load_experiment
from vla.simulation.collecting import sentence_table
from vla.simulation.metaworld_mt50.config import Config
from vla.simulation.metaworld_mt50.demonstrations import collect_task, dataset_card
from vla.simulation.metaworld_mt50.environment import CommonMetaWorld
from vla.simulation.metaworld_mt50.packages import ALL_V3_ENVIRONMENTS
from vla.simulation.metaworld_mt50.simulator import Simulator
from vla.simulation.metaworld_mt50.tasks import GROUPS, TASKS

DEMONSTRATIONS = ROOT / "config/demonstrations-mt50.yaml"
EXPERIMENT = ROOT / "experiments/exp_103_metaworld_mt50/config.yaml"
pytestmark = [
    pytest.mark.filterwarnings("ignore:Constant"),  # Meta-World's experts ask for more than 1
    pytest.mark.filterwarnings("ignore:.*A Box observation space"),  # positions have no bounds
]


@pytest.fixture
def reach():
    task = CommonMetaWorld("reach-v3", image_size=32)
    yield task
    task.close()


def test_every_task_of_the_package_is_in_one_group():
    assert {group: len(tasks) for group, tasks in GROUPS.items()} == {
        "easy": 28, "medium": 11, "hard": 6, "very hard": 5,
    }  # fmt: skip
    assert list(TASKS) == sorted(ALL_V3_ENVIRONMENTS)


def test_gymnasium_api_holds(reach):
    check_env(reach, skip_render_check=True)


def test_seed_decides_start_and_goal(reach):
    one = [reach.reset(seed=seed) and (reach.full_state.copy(), reach.render()) for seed in (1, 2)]
    assert not np.array_equal(one[0][0], one[1][0])
    assert not np.array_equal(one[0][1], one[1][1]), "the goal is drawn, and moves"
    reach.reset(seed=1)
    assert np.array_equal(reach.full_state, one[0][0])
    assert np.array_equal(reach.render(), one[0][1])


def test_pictures_are_those_that_gymnasium_draws_turned_upright(reach):
    from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer  # imports MuJoCo

    reach.reset(seed=3)
    reach.step(np.ones(4))
    package = reach._env
    renderer = MujocoRenderer(
        package.model, package.data, width=32, height=32, camera_name="corner2"
    )
    expected = np.flip(renderer.render("rgb_array"), (0, 1))
    renderer.close()
    assert np.array_equal(reach.render(), expected)


def test_common_protocol_refuses_another_horizon_and_other_pictures():
    with pytest.raises(UserError, match="are for 500 control steps"):
        Simulator(Config()).make("reach-v3", ("corner2",), 32, 150)
    with pytest.raises(ValidationError, match="set protocol: own"):
        Config(pictures="fast")
    with pytest.raises(UserError, match="no task 'reach'; did you mean 'reach-v3'"):
        Simulator(Config()).seed("reach", 0, 0)


def test_tasks_do_not_share_seeds():
    one = Simulator(Config())
    assert len({one.seed(task, 7, episode) for task in TASKS for episode in (0, 999)}) == 100


def test_shipped_demonstrations_put_every_task_into_words_of_its_own():
    config = load_demonstrations(DEMONSTRATIONS)
    assert sorted(config.tasks) == list(TASKS)
    assert not sentence_table(config).index.has_duplicates
    longest = max(len(sentence.split()) for sentence in sentence_table(config).index)
    assert longest <= load_experiment(EXPERIMENT).model.max_words


def test_expert_of_the_shipped_demonstrations_collects_what_policies_are_shown():
    config = load_demonstrations(DEMONSTRATIONS)
    config = config.model_copy(update={"episodes_per_task": 1, "image_size": 16})
    (episode,) = collect_task(config, "reach-v3")
    assert episode.frames["corner2"].shape == (len(episode.action), 16, 16, 3)
    assert episode.instruction == "reach the goal"
    assert "50 tasks, 50 episodes" in dataset_card(config, len(episode.action))


def test_published_rates_stand_beside_ours_by_group():
    rows = [("reach-v3", "success")] * 3 + [("reach-v3", "failure")] + [("push-v3", "crash")]
    rows += [(GROUPS[group][0], "success") for group in ("medium", "hard", "very hard")]
    episodes = pd.DataFrame(rows, columns=["task", "outcome"])
    published = read_yaml(ROOT / "config/published/metaworld-mt50.yaml")
    text = render(published, episodes, Config())
    ours = next(line for line in text.splitlines() if "here, 8 episodes" in line)
    assert "| 75.0 [30, 95] | 100.0" in ours
    assert "| 93.8 |" in ours, "the mean of the four groups"
    assert "SmolVLA 0.45B | 82.5 | 41.8 | 45.0 | 60.0 | 57.3" in text
