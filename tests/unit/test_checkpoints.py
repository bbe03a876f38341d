"""Checkpoints: kept as configured, replaced when damaged, saved when asked to stop."""

import errno
import os
import signal

import pytest
import torch
from safetensors import SafetensorError
from test_training import KilledAt, KilledError, rows, same_weights, train

from vla.data.sampling import Sampler
from vla.errors import GoOnLaterError, UserError
from vla.policies.storage import save_tensors

__all__ = ["train"]  # the fixture


class SignalAt(Sampler):
    """The scheduler sends a signal while the batch of this step is made."""

    step = 5
    number = signal.SIGTERM

    def batch(self, step):
        if step == self.step:
            os.kill(os.getpid(), self.number)
        return super().batch(step)


class UserSignalAt(SignalAt):
    number = signal.SIGUSR1


class InterruptAt(SignalAt):
    number = signal.SIGINT


def steps(folder) -> list[int]:
    """Steps with a checkpoint, both of its files."""
    found = {ending: set() for ending in ("json", "safetensors")}
    for path in (folder / "checkpoints").iterdir():
        name, _, ending = path.name.partition(".")
        found[ending].add(int(name.removeprefix("step_")))
    assert found["json"] == found["safetensors"]
    return sorted(found["json"])


@pytest.mark.parametrize(
    ("retention", "kept"),
    [
        ({}, [5, 6]),
        ({"keep_last": 1}, [6]),
        ({"keep_last": 1, "keep_every": 2}, [2, 4, 6]),
        ({"keep_last": 4}, [3, 4, 5, 6]),
    ],
)
def test_checkpoints_are_kept_as_configured(train, tmp_path, retention, kept):
    sections = {"training": {"num_steps": 7}, "checkpoints": {"save_every": 1, **retention}}
    train("run", **sections)
    assert steps(tmp_path / "run") == kept


def test_best_checkpoint_is_kept_when_asked(train, tmp_path):
    """The rate falls to nothing after a warm-up that overshoots: the last step is not the best."""
    sections = {
        "training": {"num_steps": 8, "learning_rate": 0.5, "warmup_steps": 1},
        "tracking": {"log_every": 1},
        "checkpoints": {"save_every": 1, "keep_last": 1, "keep_best": 1},
        "monitoring": {"divergence": "ignore"},
    }
    train("run", **sections)
    losses = {int(row["step"]): float(row["loss"]) for row in rows(tmp_path / "run")}
    best = min(range(1, 8), key=losses.get)
    assert best != 7
    assert steps(tmp_path / "run") == [best, 7]


@pytest.mark.parametrize("file", ["step_00000006.safetensors", "step_00000006.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_checkpoint_is_replaced_by_the_one_before(train, tmp_path, caplog, file, damage):
    sections = {"checkpoints": {"save_every": 2}}
    whole = train("whole", **sections)
    with pytest.raises(KilledError):
        train("cut", sampler=type("Late", (KilledAt,), {"step": 7}), **sections)
    path = tmp_path / "cut/checkpoints" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes({"flip": content, "cut": content[: len(content) // 2], "empty": b""}[damage])

    resumed = train("cut", **sections)
    assert resumed.resumed_from_step == 4
    assert same_weights(whole, resumed)
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")
    assert file in caplog.text
    assert "Set aside" in caplog.text
    assert path.with_name(f"{file}.damaged").exists()


@pytest.mark.parametrize("sampler", [SignalAt, UserSignalAt, InterruptAt])
def test_asked_to_stop_it_saves_and_goes_on_to_the_same_bits(train, tmp_path, sampler):
    whole = train("whole")
    with pytest.raises(GoOnLaterError, match="stopped after step 6 of 8, saved"):
        train("cut", sampler=sampler, resources={"loader_workers": 0})  # the moment is exact
    resumed = train("cut")
    assert resumed.resumed_from_step == 6
    assert same_weights(whole, resumed)
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")


def test_full_disk_is_told_with_figures(train, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(UserError, match=r"needs \d+\.\d MB, 0\.0 MB are\s+free") as caught:
        train("run")
    assert "goes on from what is saved" in caught.value.way_out
    assert list((tmp_path / "run/checkpoints").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_disk_that_fills_while_tensors_are_written_is_told_as_such(tmp_path, monkeypatch, number):
    """safetensors keeps the system's error in its text alone."""

    def full(tensors, path):
        path.write_bytes(b"half")
        raise SafetensorError(f"Error while serializing: I/O error: full (os error {number})")

    monkeypatch.setattr("vla.policies.storage.save_file", full)
    with pytest.raises(OSError, match="policy") as caught:
        save_tensors({"a": torch.zeros(3)}, tmp_path / "policy.safetensors")
    assert caught.value.errno == number
    assert list(tmp_path.iterdir()) == []
