"""Training up to a rung: the state is that of an undisturbed run, and so is what comes after."""

import csv
from pathlib import Path

import pytest
import torch

from vla.errors import GoOnLaterError
from vla.process.determinism import set_determinism
from vla.records.rung import EARLY
from vla.training.loop import TrainingResult, TrainingRun
from vla.training.rungs import UpToStep, newest_step
from vla.training.standard import train as train_standard
from vla.training.supervision import DivergedError, Supervisor


@pytest.fixture
def train(store, make_config):
    """Train a tiny policy of 8 steps in a folder, watched over as `kind` does it."""
    set_determinism(1)

    def train_in(folder: Path, last: int | None = None, **sections):
        config = make_config(**sections)
        where = (config, "k", folder / "checkpoints", folder / "logs")
        supervisor = Supervisor(*where) if last is None else UpToStep(*where, last)
        run = TrainingRun(config, 0, store, torch.device("cpu"), supervisor)
        if last is None:
            return train_standard(run)
        with pytest.raises(GoOnLaterError) as stopped:
            train_standard(run)
        assert str(stopped.value).startswith(EARLY)
        assert supervisor.arrived
        return supervisor.policy

    return train_in


def losses(folder: Path) -> list[tuple[str, str]]:
    with open(folder / "logs/metrics.csv", newline="") as stream:
        return [(row["step"], row["loss"]) for row in csv.DictReader(stream)]


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_run_goes_on_from_rungs_to_the_same_bits(train, tmp_path):
    whole: TrainingResult = train(tmp_path / "whole")
    at_3 = train(tmp_path / "rungs", last=3)
    assert newest_step(tmp_path / "rungs/checkpoints") == 3
    train(tmp_path / "rungs", last=5)
    in_one_go = train(tmp_path / "other", last=3)
    assert same_weights(at_3, in_one_go)
    assert not same_weights(at_3, whole.policy)
    result = train(tmp_path / "rungs")
    assert result.resumed_from_step == 5
    assert same_weights(result.policy, whole.policy)
    assert result.final_loss == whole.final_loss
    assert losses(tmp_path / "rungs") == losses(tmp_path / "whole")


def test_run_that_is_there_already_does_not_train(train, tmp_path):
    """As after a kill between the checkpoint and the record."""
    first = train(tmp_path, last=4)
    before = losses(tmp_path)
    assert same_weights(train(tmp_path, last=4), first)
    assert losses(tmp_path) == before


def test_signal_before_the_rung_is_no_arrival(store, make_config, tmp_path):
    class Signalled(UpToStep):
        def after_step(self, step):
            if step.done == 2:
                self.ask_to_stop("SIGTERM")
            super().after_step(step)

    config = make_config()
    supervisor = Signalled(config, "k", tmp_path / "checkpoints", tmp_path / "logs", 3)
    with pytest.raises(GoOnLaterError, match="SIGTERM: stopped after step 2 of 8"):
        train_standard(TrainingRun(config, 0, store, torch.device("cpu"), supervisor))
    assert not supervisor.arrived


def test_diverging_is_told_apart_from_other_mistakes(store, make_config, tmp_path):
    config = make_config(training={"learning_rate": 1e30}, monitoring={"divergence": "ignore"})
    supervisor = UpToStep(config, "k", tmp_path / "checkpoints", tmp_path / "logs", 6)
    with pytest.raises(DivergedError):
        train_standard(TrainingRun(config, 0, store, torch.device("cpu"), supervisor))
    assert not supervisor.arrived
