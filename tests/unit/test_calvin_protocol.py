"""CALVIN's official chains and the checkout they run in; nothing here needs the simulator."""

import numpy as np
import pytest

from tests.project import ROOT
from vla.errors import UserError
from vla.plan.reading import load_experiment
from vla.simulation.calvin import outside
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.sequences import (
    PUBLISHED,
    chains_from,
    initial_states,
    pose_seed,
    published_hash,
    scene_of,
    sequences,
)


def test_chains_are_the_published_ones():
    chains = sequences()
    assert len(chains) == 1000
    assert published_hash(chains) == PUBLISHED
    assert pose_seed(chains[0].state) == 2138410836


def test_chains_drawn_anew_are_those_that_are_kept():
    states = initial_states()
    assert len(states) == 192
    for number in (0, 191):
        kept = [chain for chain in sequences() if chain.state == states[number]]
        drawn = chains_from(states[number], number, states)
        assert sorted(chain.subtasks for chain in kept) == sorted(c.subtasks for c in drawn)


def test_blocks_lie_where_the_state_says():
    for state in initial_states()[::17]:
        scene = scene_of(state)
        for number, colour in enumerate(("red", "blue", "pink")):
            on_table = state[f"{colour}_block"] == "table"
            assert (scene[7 + 6 * number] < 0) == on_table
        assert scene[0] == (0.28 if state["slider"] == "left" else 0)
        assert np.array_equal(scene, scene_of(state))


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder that looks like calvin_env, and is at no commit."""
    for name in outside.FOLDERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(name)
    monkeypatch.setenv(outside.SETTING, str(tmp_path))
    outside.content_of.cache_clear()
    return tmp_path


def test_missing_checkout_names_the_setting_and_both_commits(monkeypatch, tmp_path):
    monkeypatch.delenv(outside.SETTING, raising=False)
    with pytest.raises(UserError, match="CALVIN_ENV_ROOT is not set") as caught:
        outside.checkout(Config())
    assert "1431a46" in caught.value.way_out
    assert "797142c" in caught.value.way_out
    monkeypatch.setenv(outside.SETTING, str(tmp_path))
    with pytest.raises(UserError, match="holds no calvin_env"):
        outside.checkout(Config())


def test_checkout_of_another_content_is_refused_unless_it_is_asked_for(checkout):
    with pytest.raises(UserError, match=r"holds calvin_env other-[0-9a-f]{12}"):
        outside.checkout(Config())
    assert outside.checkout(Config(commit="other")) == checkout


def test_key_holds_the_content_of_the_checkout(checkout):
    known = outside.identity(Config())
    assert known["calvin_env"] == outside.KNOWN["1431a46"]  # also where no checkout is
    other = outside.identity(Config(commit="other"))
    (checkout / "conf/a.py").write_text("changed")
    outside.content_of.cache_clear()
    assert outside.identity(Config(commit="other")) != other


def test_experiment_is_configured_as_the_protocol_asks():
    evaluation = load_experiment(
        ROOT / "experiments/exp_104_calvin_scripted/config.yaml"
    ).evaluation
    assert evaluation.max_steps == 360
    assert evaluation.simulator.reset == "clean"
    assert evaluation.tasks is None
