"""Runs that go wrong are noticed in time, and healthy ones are left in peace."""

import math
import shutil
from itertools import count

import pytest
import torch
from safetensors.torch import load_file
from test_training import KilledError, NaNAt, Sampler, train

from vla.config.monitoring import MonitoringSection
from vla.errors import UserError
from vla.monitoring.descriptions import describe_event
from vla.monitoring.monitor import Monitor
from vla.policies.building import build_policy
from vla.records.events import read_events
from vla.training.checkpoint import Checkpoints
from vla.training.optimizer import build_optimizer
from vla.training.retention import checkpoint_files

__all__ = ["train"]  # the fixture

HEALTHY = {
    "loss": 1.0,
    "learning_rate": 1e-3,
    "gradient_norm": 1.0,
    "samples_per_second": 100.0,
    "data_wait": 0.0,
    "disk_free_gb": 50.0,
    "gpu_percent": 90.0,
}


class HalvedData(Sampler):
    """Every picture is black from some step on: the loss jumps, though nothing is infinite."""

    step = 40

    def batch(self, step):
        batch = super().batch(step)
        if step >= self.step:
            batch.actions[:] *= 3
        return batch


class JumpsThenKilled(HalvedData):
    def batch(self, step):
        if step == 46:
            raise KilledError
        return super().batch(step)


def kinds(tmp_path, folder: str = "run") -> list[str]:
    return [event.kind for event in read_events(tmp_path / folder / "logs/events.jsonl")]


def run(tmp_path, rows: list[dict], **config) -> list[str]:
    """Kinds that a monitor tells of these rows."""
    monitor = Monitor(
        MonitoringSection(**config), tmp_path / "events.jsonl", [], disk_reserve_gb=0.2
    )
    for number, row in enumerate(rows, 1):
        monitor.check(HEALTHY | {"step": number, "seconds": float(number)} | row, lambda: [])
    return [event.kind for event in read_events(tmp_path / "events.jsonl")]


def test_learning_rate_of_1000_stops_at_the_next_row_with_a_good_checkpoint(
    train, tmp_path, store, make_config
):
    sections = {
        "training": {"num_steps": 60, "learning_rate": 1e3},
        "tracking": {"log_every": 5},
        # Earlier ones may still be finite, or not: that depends on the processor.
        "checkpoints": {"save_every": 10},
    }
    with pytest.raises(
        UserError, match=r"Stopped by monitoring\.(divergence|not_finite)"
    ) as caught:
        train("run", **sections)
    events = read_events(tmp_path / "run/logs/events.jsonl")
    assert {event.step for event in events} == {5}
    event = events[0]
    assert "training.learning_rate" in caught.value.way_out
    _, weights = checkpoint_files(tmp_path / "run/checkpoints", event.checkpoint)
    assert str(weights) in caught.value.problem
    config = make_config(**sections)
    torch.manual_seed(0)
    policy = build_policy(config.model, store.spec)
    optimizer = build_optimizer(policy, config.training)
    good = Checkpoints(tmp_path / "run/checkpoints", "k", config.checkpoints)
    assert good.resume(policy, optimizer)[0] == event.checkpoint == 0
    assert all(value.isfinite().all() for value in load_file(weights).values())


def test_state_that_cannot_be_saved_is_looked_at_before_the_next_row(train, tmp_path):
    sections = {"tracking": {"log_every": 8}, "checkpoints": {"save_every": 5}}
    with pytest.raises(UserError, match="not finite at step 5"):
        train("run", **sections, sampler=NaNAt)
    assert kinds(tmp_path) == ["not_finite"]


def test_poisoned_batch_stops_naming_the_step(train, tmp_path):
    with pytest.raises(UserError, match=r"not finite at step 5: loss or gradient norm is nan"):
        train("run", tracking={"log_every": 1}, sampler=NaNAt)
    (event,) = read_events(tmp_path / "run/logs/events.jsonl")
    assert (event.kind, event.step, event.checkpoint) == ("not_finite", 5, 0)
    assert math.isnan(event.value)
    assert describe_event(event) == "not finite at step 5: loss or gradient norm is nan"
    with pytest.raises(
        UserError, match="not finite at step 5"
    ):  # and again, without a second event
        train("run", tracking={"log_every": 1}, sampler=NaNAt)
    assert kinds(tmp_path) == ["not_finite"]


def test_loss_that_jumps_is_told_once_and_training_goes_on(train, tmp_path):
    sections = {"training": {"num_steps": 60, "learning_rate": 1e-2}, "tracking": {"log_every": 1}}
    result = train("run", sampler=HalvedData, **sections)
    assert result.final_loss > 0
    spikes = [e.step for e in read_events(tmp_path / "run/logs/events.jsonl")]
    assert spikes[0] == 41
    assert len(spikes) < 5, "told when it begins, not with every row"


def test_last_good_checkpoint_that_an_event_names_is_kept(train, tmp_path):
    """Also by the attempts that go on from a later one."""
    sections = {"training": {"num_steps": 60, "learning_rate": 1e-2}, "tracking": {"log_every": 1}}
    sections["checkpoints"] = {"save_every": 1, "keep_last": 1}
    with pytest.raises(KilledError):
        train("run", sampler=JumpsThenKilled, **sections)
    named = {e.checkpoint for e in read_events(tmp_path / "run/logs/events.jsonl")}
    assert named == {40}
    train("run", sampler=HalvedData, **sections)
    for step in named:
        assert all(file.is_file() for file in checkpoint_files(tmp_path / "run/checkpoints", step))


def test_gradient_that_explodes_between_two_rows_is_seen(train, tmp_path, monkeypatch):
    clip, calls = torch.nn.utils.clip_grad_norm_, count(1)

    def explodes_once(parameters, most):
        norm = clip(parameters, most)
        return norm * 1000 if next(calls) == 102 else norm

    monkeypatch.setattr("torch.nn.utils.clip_grad_norm_", explodes_once)
    sections = {"training": {"num_steps": 200}, "tracking": {"log_every": 5}}
    train("run", **sections)
    events = read_events(tmp_path / "run/logs/events.jsonl")
    assert [(event.kind, event.step) for event in events] == [("gradient_explosion", 105)]


def test_healthy_run_is_silent(train, tmp_path):
    train("run", training={"num_steps": 200, "learning_rate": 1e-2}, tracking={"log_every": 2})
    assert kinds(tmp_path) == []


def test_full_disk_saves_and_stops(train, tmp_path):
    beyond = 4 * (shutil.disk_usage(tmp_path).free / 1e9 + 1)
    with pytest.raises(UserError, match=r"Stopped by monitoring\.disk_full"):
        train("run", resources={"disk_gb": beyond})
    assert checkpoint_files(tmp_path / "run/checkpoints", 1)[1].is_file()
    with pytest.raises(UserError, match=r"Stopped by monitoring\.disk_full"):
        train("run", resources={"disk_gb": beyond}, tracking={"log_every": 1})
    assert [event.step for event in read_events(tmp_path / "run/logs/events.jsonl")] == [1, 2]
    (tmp_path / "run/checkpoints/step_00000002.json").unlink()
    result = train("run")  # with space again it goes on from there
    assert result.resumed_from_step == 1


def test_ignored_kinds_are_not_told(train, tmp_path):
    ignored = {"divergence": "ignore", "loss_spike": "ignore", "gradient_explosion": "ignore"}
    train("run", training={"num_steps": 20, "learning_rate": 10.0}, monitoring=ignored)
    assert not set(kinds(tmp_path)) & set(ignored)


STEADY = [{"loss": 1 / n} for n in range(1, 61)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(STEADY, [], id="healthy"),
        pytest.param([*STEADY, {"gradient_norm": 25.0, "loss": 1 / 61}], ["gradient_explosion"], id="gradient"),
        pytest.param([*STEADY, {"loss": 10.5}], ["divergence", "loss_spike"], id="divergence"),
        pytest.param([{"loss": 1.0}] * 60, ["plateau"], id="plateau"),
        pytest.param([{"loss": 1.0, "learning_rate": 1e-3 / n} for n in range(1, 61)], [], id="settled"),
        pytest.param([*STEADY, *[{"loss": 1 / 61, "samples_per_second": 40.0}] * 5], ["throughput_drop"], id="slow"),
        pytest.param([*STEADY, *[{"loss": 1 / 61, "samples_per_second": 40.0}] * 4], [], id="slow for a moment"),
        pytest.param([*STEADY, *[{"loss": 1 / 61, "gpu_percent": 2.0}] * 10], ["idle_gpu"], id="idle"),
        pytest.param([r | {"disk_free_gb": 50 - n, "seconds": 30.0 * n} for n, r in enumerate(STEADY[:45])], ["disk_filling"], id="filling"),
        pytest.param([*STEADY, {"loss": 1 / 61, "disk_free_gb": 0.1}], ["disk_full"], id="full"),
    ],
)  # fmt: skip
def test_each_kind_is_told_by_what_it_is_about(tmp_path, rows, expected):
    assert run(tmp_path, rows) == expected


def test_kind_that_comes_back_is_told_again(tmp_path):
    spike, calm = [{"loss": 9.0}], [{"loss": 1 / n} for n in range(61, 81)]
    assert run(tmp_path, [*STEADY, *spike, *calm, *spike]) == ["loss_spike"] * 2


def test_without_a_gpu_nothing_is_said_of_one(tmp_path):
    rows = [{name: v for name, v in (HEALTHY | r).items() if name != "gpu_percent"} for r in STEADY]
    monitor = Monitor(MonitoringSection(), tmp_path / "events.jsonl", [], disk_reserve_gb=0.2)
    for number, row in enumerate(rows, 1):
        assert monitor.check(row | {"step": number, "seconds": float(number)}, lambda: []) == []
