"""Demonstrations: the same configuration collects the same ones, whichever process does."""

import numpy as np
import pytest

from vla.config.demonstrations import DemonstrationsConfig
from vla.errors import UserError
from vla.simulation.collecting import collect, find_experts, sentence_table
from vla.simulation.metaworld.config import Config
from vla.simulation.metaworld.demonstrations import collect_task

BUTTON = "button-press-topdown-v3"
Demonstrations = DemonstrationsConfig[Config]
# Meta-World's experts ask for more than 1.
pytestmark = pytest.mark.filterwarnings("ignore:Constant")


def test_collecting_twice_gives_the_same_demonstrations():
    config = Demonstrations(
        tasks={BUTTON: {"instructions": ["press", "push"]}}, episodes_per_task=2, image_size=16
    )
    first, second = (collect_task(config, BUTTON) for _ in range(2))
    assert [episode.instruction for episode in first] == ["press", "push"]
    for one, other in zip(first, second, strict=True):
        assert one.seed == other.seed
        assert np.array_equal(one.state, other.state)
        assert np.array_equal(one.action, other.action)
        assert np.array_equal(one.frames["side"], other.frames["side"])
    assert first[0].seed == config.first_seed
    assert first[0].frames["side"].shape == (len(first[0].action), 16, 16, 3)


def test_no_picture_of_a_demonstration_tells_which_of_two_equal_scenes_is_meant():
    """Or a policy could remember pictures instead of heeding its instruction."""
    faucets = ("faucet-open-v3", "faucet-close-v3")
    tasks = {task: {"instructions": [task]} for task in faucets}
    config = Demonstrations(tasks=tasks, episodes_per_task=2, image_size=16)
    opened, closed = (collect_task(config, task) for task in faucets)
    for one, other in zip(opened, closed, strict=True):
        assert np.array_equal(one.frames["side"][0], other.frames["side"][0])
        assert np.array_equal(one.state[0], other.state[0])
        assert not np.array_equal(one.action, other.action)


def test_sentence_of_two_tasks_is_refused():
    tasks = {name: {"instructions": ["do it"]} for name in (BUTTON, "faucet-open-v3")}
    with pytest.raises(UserError, match="'do it' stands twice"):
        sentence_table(Demonstrations(tasks=tasks))


def test_collecting_in_processes_gives_every_task_in_order_with_its_settings():
    tasks = {name: {"instructions": [name]} for name in (BUTTON, "faucet-open-v3")}
    config = Demonstrations(
        simulator={"object_range_x": 0.01}, tasks=tasks, episodes_per_task=1, image_size=16
    )
    episodes = collect(config, processes=2)
    assert [episode.instruction for episode in episodes] == list(tasks)
    (alone,) = collect_task(config, BUTTON)
    assert np.array_equal(episodes[0].state, alone.state)
    (wide,) = collect_task(Demonstrations(tasks=tasks, episodes_per_task=1, image_size=16), BUTTON)
    assert not np.array_equal(wide.frames["side"][0], alone.frames["side"][0])
    card = find_experts(config.simulator).dataset_card(config, 100)
    assert "within +-0.01 m" in card


def test_camera_of_demonstrations_is_checked_before_any_is_collected():
    config = Demonstrations(tasks={BUTTON: {"instructions": ["a"]}}, cameras=("wrist",))
    with pytest.raises(UserError, match="no camera 'wrist'"):
        collect(config)
