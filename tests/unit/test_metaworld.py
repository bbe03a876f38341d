"""The simulator: seeds decide, pictures do not tell the task, the Gymnasium API holds."""

import os
import subprocess
import sys

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from vla.config.evaluation import SimulatorSection
from vla.errors import UserError
from vla.simulation.finding import load_simulator
from vla.simulation.metaworld.config import Config
from vla.simulation.metaworld.environment import (
    ALL_V3_ENVIRONMENTS,
    SEEDS_PER_TASK,
    MetaWorldEnv,
    task_seed,
)
from vla.simulation.metaworld.packages import mujoco
from vla.simulation.metaworld.simulator import Simulator

BUTTON = "button-press-topdown-v3"
pytestmark = [
    pytest.mark.filterwarnings("ignore:Constant"),  # Meta-World's experts ask for more than 1
    pytest.mark.filterwarnings("ignore:.*A Box observation space"),  # positions have no bounds
]


@pytest.fixture
def make_env():
    """Environments that are closed, whatever the test does."""
    made = []

    def make(task: str = BUTTON, **settings) -> MetaWorldEnv:
        made.append(MetaWorldEnv(task, **settings))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.fixture
def button(make_env) -> MetaWorldEnv:
    return make_env(image_size=32)


@pytest.fixture
def faucets(make_env) -> list[MetaWorldEnv]:
    return [make_env(f"faucet-{what}-v3") for what in ("open", "close")]


def start(env: MetaWorldEnv, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Everything the simulator says of an initial state, and its picture."""
    env.reset(seed=seed)
    return env.full_state.copy(), env.render()


def demonstration(env: MetaWorldEnv, seed: int) -> tuple[list[np.ndarray], bool]:
    """Hand positions under the expert, and whether it succeeded."""
    states, done, success = [env.reset(seed=seed)[0]], False, False
    while not done:
        state, _, success, truncated, _ = env.step(env.expert_action())
        states.append(state)
        done = success or truncated
    return states, success


def test_seed_decides_the_start(button, make_env):
    state, picture = start(button, 3)
    other_state, other_picture = start(button, 4)
    assert not np.array_equal(state, other_state)
    assert not np.array_equal(picture, other_picture)
    again, picture_again = start(make_env(image_size=32), 3)
    assert np.array_equal(state, again)
    assert np.array_equal(picture, picture_again)


def test_seed_decides_whatever_was_run_before(button):
    state, picture = start(button, 3)
    first, _ = demonstration(button, 3)
    for seed in (5, 6):
        demonstration(button, seed)
    button.reset()
    again, picture_again = start(button, 3)
    assert np.array_equal(state, again)
    assert np.array_equal(picture, picture_again)
    assert np.array_equal(first, demonstration(button, 3)[0])


def test_reset_without_seed_draws_another_start(button):
    state, _ = start(button, 3)
    button.reset()
    assert not np.array_equal(state, button.full_state)


def test_only_the_instruction_tells_the_faucet_tasks_apart(faucets):
    """Were a picture to tell them apart, hiding the instruction would show nothing."""
    for seed in range(3):
        pictures = [start(env, seed)[1] for env in faucets]
        assert np.array_equal(*pictures)
    ends = [demonstration(env, 0)[0][-1] for env in faucets]
    assert np.linalg.norm(ends[0] - ends[1]) > 0.05  # m: the experts push from opposite sides


def test_pictures_show_the_scene(faucets):
    """Equal pictures could also be empty ones."""
    pictures = [start(faucets[0], seed)[1] for seed in (0, 1)]
    assert pictures[0].shape == (64, 64, 3)
    assert pictures[0].dtype == np.uint8
    assert pictures[0].std() > 20
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() > 50


def test_objects_start_in_the_range_asked_for(button, make_env):
    def reach(env: MetaWorldEnv) -> float:
        return max(abs(start_x(env, seed)) for seed in range(30))

    def start_x(env: MetaWorldEnv, seed: int) -> float:
        env.reset(seed=seed)
        return env.full_state[4]  # where the button is

    assert 0.15 < reach(button) <= 0.2  # beyond the package's own +-0.1
    assert reach(make_env(object_range_x=0.05)) <= 0.05


@pytest.mark.parametrize("task", [BUTTON, "reach-v3"])
def test_expert_succeeds(make_env, task):
    """The second moves to a goal that is no object: it has to be told where."""
    env = make_env(task)
    for seed in range(3):
        states, success = demonstration(env, seed)
        assert success
        assert len(states) <= 151


def test_gymnasium_api_holds(button):
    check_env(button, skip_render_check=True)


def test_closing_an_environment_leaves_the_pictures_of_others(make_env):
    """MuJoCo frees textures in whatever OpenGL context is current."""
    env, other = make_env(), make_env("faucet-open-v3")
    _, picture = start(env, 0)
    start(other, 0)
    assert np.array_equal(env.render(), picture)
    other.close()
    assert np.array_equal(env.render(), picture)


def test_actions_are_clipped(button):
    results = []
    for scale in (1, 7):
        button.reset(seed=0)
        for _ in range(5):
            state = button.step(scale * np.array([1, -1, 1, -1]))[0]
        results.append(state)
    assert np.array_equal(*results)


@pytest.mark.parametrize("max_steps", [3, 520])
def test_episode_ends_after_max_steps_and_not_before(make_env, max_steps):
    """The package's own limit is 500 steps; an error there would count as a crash, not a failure."""
    env = make_env(max_steps=max_steps)
    env.reset(seed=0)
    ends = [env.step(np.zeros(4))[2:4] for _ in range(max_steps)]
    assert ends == [(False, False)] * (max_steps - 1) + [(False, True)]


def test_unknown_task_names_the_valid_ones():
    with pytest.raises(UserError, match="no task 'button-press'") as caught:
        MetaWorldEnv("button-press")
    assert BUTTON in caught.value.way_out


def test_simulator_is_found_by_name_and_makes_tasks_with_its_settings():
    simulator = load_simulator(Config(object_range_x=0.05))
    assert isinstance(simulator, Simulator)
    env = simulator.make(BUTTON, ("top", "side"), 16, 3)
    assert {name: picture.shape for name, picture in pictures_of(env).items()} == {
        "top": (16, 16, 3),
        "side": (16, 16, 3),
    }
    starts = []
    for seed in range(10):
        env.reset(seed=seed)
        starts.append(env.full_state[4])
    assert np.abs(starts).max() <= 0.05
    env.close()
    assert simulator.seed(BUTTON, 100, 3) == task_seed(BUTTON, 100, 3)
    assert simulator.renderer()["backend"] == os.environ["MUJOCO_GL"]


def pictures_of(env: MetaWorldEnv) -> dict[str, np.ndarray]:
    env.reset(seed=0)
    return env.pictures()


def test_simulator_that_nobody_wrote_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'metaworld'"):
        load_simulator(SimulatorSection(type="metawolrd"))


def test_unknown_camera_names_the_valid_ones():
    with pytest.raises(UserError, match="wrist") as caught:
        load_simulator(Config()).check_cameras(("side", "wrist"))
    assert "side, front, top" in caught.value.way_out


def test_plans_are_made_without_the_simulator():
    """The host that plans need not have it installed, and its OpenGL is not chosen there."""
    code = (
        "import sys, os; sys.modules['mujoco'] = sys.modules['metaworld'] = None; "
        "import vla.simulation.metaworld.config; assert 'MUJOCO_GL' not in os.environ"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=without_backend())


def without_backend() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "MUJOCO_GL"}


def test_mujoco_that_was_imported_too_early_is_an_error_that_says_so():
    """It binds GLFW then, which needs a display and draws other pixels."""
    code = "import mujoco; import vla.simulation.metaworld.simulator"
    finished = subprocess.run(
        [sys.executable, "-c", code], env=without_backend(), capture_output=True, text=True
    )
    assert "MuJoCo was imported before its OpenGL backend was chosen" in finished.stderr
    backend = mujoco.GLContext.__module__.removeprefix("mujoco.")
    assert f"Set MUJOCO_GL={backend}" in finished.stderr
    environment = os.environ | {"MUJOCO_GL": backend}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_episode_beyond_the_seeds_of_a_task_is_refused():
    """It would be another task's."""
    assert task_seed(BUTTON, 0, SEEDS_PER_TASK - 1)
    with pytest.raises(UserError, match=f"episode {SEEDS_PER_TASK + 1}"):
        task_seed(BUTTON, 0, SEEDS_PER_TASK)


def test_no_two_tasks_share_a_seed():
    blocks: dict[int, list[str]] = {}
    for task in ALL_V3_ENVIRONMENTS:
        first, last = (task_seed(task, 0, episode) for episode in (0, SEEDS_PER_TASK - 1))
        assert first // SEEDS_PER_TASK == last // SEEDS_PER_TASK
        blocks.setdefault(first // SEEDS_PER_TASK, []).append(task)
    assert [tasks for tasks in blocks.values() if len(tasks) > 1] == []


def test_seeds_of_embedded_demonstrations_stay_what_they_are():
    """Collected demonstrations name their seeds: another scheme would let evaluation meet them."""
    seeds = {task: task_seed(task, 1_000_000, 0) for task in (BUTTON, "faucet-open-v3")}
    assert seeds == {BUTTON: 1_328_000, "faucet-open-v3": 1_713_000}
