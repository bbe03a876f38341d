"""Training repeats bit for bit, also when it was interrupted."""

import csv
import logging
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.project import ROOT
from vla.config.training import TrainingSection
from vla.data.sampling import Sampler
from vla.errors import UserError
from vla.policies.building import build_policy
from vla.process.determinism import choose_device, set_determinism
from vla.records.events import read_events
from vla.tracking.metrics import COLUMNS, MetricsLog
from vla.training.loop import TrainingResult, TrainingRun, fit
from vla.training.optimizer import learning_rate
from vla.training.supervision import Supervisor

REPEATED = ("step", "loss", "learning_rate", "gradient_norm")
CPU = torch.device("cpu")


class KilledError(Exception):
    pass


class KilledAt(Sampler):
    """The process ends when it asks for the batch of this step."""

    step = 6

    def batch(self, step):
        if step == self.step:
            raise KilledError
        return super().batch(step)


class NaNAt(Sampler):
    step = 4

    def batch(self, step):
        batch = super().batch(step)
        if step == self.step:
            batch.state.fill(math.nan)
        return batch


@pytest.fixture
def train(store, make_config, tmp_path):
    """Train a tiny policy in a folder, as an experiment's `train.py` does."""
    set_determinism(1)

    def train_in(
        folder: str, seed: int = 0, sampler: type[Sampler] = Sampler, key: str = "k", **sections
    ) -> TrainingResult:
        config = make_config(data={"augmentation": True}, **sections)
        base = tmp_path / folder
        supervisor = Supervisor(config, key, base / "checkpoints", base / "logs")
        torch.manual_seed(seed)
        policy = build_policy(config.model, store.spec)
        batches = sampler(
            store,
            seed=seed,
            batch_size=config.training.batch_size,
            chunk_length=config.model.chunk_length,
            augmentation=True,
        )
        return fit(TrainingRun(config, seed, store, CPU, supervisor), policy, batches)

    return train_in


def same_weights(one: TrainingResult, other: TrainingResult) -> bool:
    pairs = zip(one.policy.parameters(), other.policy.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "logs/metrics.csv", newline="") as stream:
        return [{name: row[name] for name in REPEATED} for row in csv.DictReader(stream)]


@pytest.mark.parametrize("kind", ["BC", "RT1", "flow"])
def test_equal_seed_equal_weights_other_seed_others(train, tmp_path, kind):
    model = {"type": kind}
    first, again = train("first", model=model), train("again", model=model)
    other = train("other", seed=1, model=model)
    assert same_weights(first, again)
    assert rows(tmp_path / "first") == rows(tmp_path / "again")
    assert not same_weights(first, other)


def test_training_lowers_the_loss(train, tmp_path):
    train("run", training={"num_steps": 60, "learning_rate": 1e-2})
    losses = [float(row["loss"]) for row in rows(tmp_path / "run")]
    assert losses[-1] < 0.8 * losses[0]


def test_bits_do_not_depend_on_the_number_of_loader_workers(train, tmp_path):
    none = train("none", resources={"loader_workers": 0})
    with pytest.raises(KilledError):
        train("some", resources={"loader_workers": 1}, sampler=KilledAt)
    some = train("some", resources={"loader_workers": 3})
    assert same_weights(none, some)
    assert rows(tmp_path / "none") == rows(tmp_path / "some")


@pytest.mark.parametrize("kind", ["BC", "RT1", "RT2", "OFT", "flow"])
def test_interrupted_run_goes_on_to_the_same_bits(train, tmp_path, kind):
    model = {"type": kind}
    whole = train("whole", model=model)
    with pytest.raises(KilledError):
        train("cut", model=model, sampler=KilledAt)
    resumed = train("cut", model=model)
    assert resumed.resumed_from_step == 4
    assert same_weights(whole, resumed)
    assert whole.final_loss == resumed.final_loss
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")
    assert [row["step"] for row in rows(tmp_path / "cut")] == ["1", "2", "4", "6", "8"]


def test_metrics_repeat_when_a_checkpoint_lies_between_two_rows(train, tmp_path):
    tracking = {"log_every": 3}
    train("whole", tracking=tracking)
    with pytest.raises(KilledError):
        train("cut", tracking=tracking, sampler=KilledAt)
    assert train("cut", tracking=tracking).resumed_from_step == 4
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")


def test_run_killed_before_its_first_checkpoint_begins_anew(train, tmp_path):
    whole = train("whole")
    with pytest.raises(KilledError):
        train("cut", checkpoints={"save_every": 7}, sampler=KilledAt)
    resumed = train("cut")
    assert resumed.resumed_from_step == 0
    assert same_weights(whole, resumed)
    assert rows(tmp_path / "cut") == rows(tmp_path / "whole")


def test_step_that_is_repeated_after_a_resume_is_logged_once(tmp_path):
    """As when a process is killed after step 6 and its newest checkpoint is of step 4."""
    for steps in ((2, 4, 6), (6, 8)):
        log = MetricsLog(tmp_path / "logs")
        for step in steps:
            known = log.log(dict.fromkeys(COLUMNS, step / 8) | {"step": step})
            assert (known is not None) == (steps == (6, 8) and step == 6)
        log.close()
    assert [int(row["step"]) for row in rows(tmp_path)] == [2, 4, 6, 8]


def test_repeated_step_with_another_loss_is_told(train, tmp_path, caplog):
    """Nothing of a run that does not repeat itself goes unnoticed."""
    with pytest.raises(KilledError):
        train("run", sampler=type("Late", (KilledAt,), {"step": 7}))
    path = tmp_path / "run/logs/metrics.csv"
    loss = rows(tmp_path / "run")[-1]["loss"]
    path.write_text(path.read_text().replace(f"6,{loss}", "6,0.125"))
    logger = logging.getLogger("vla")
    logger.propagate = True
    train("run")
    assert "not repeated at step 6: loss " in caplog.text
    (event,) = read_events(tmp_path / "run/logs/events.jsonl")
    assert (event.kind, event.step, event.threshold) == ("not_repeated", 6, 0.125)


def test_rows_cut_off_by_a_crash_are_dropped(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    columns = [name for name in COLUMNS if name != "cpu_energy_j"]  # it came later
    (logs / "metrics.csv").write_text(
        f"{','.join(columns)}\n"
        "2,0.5,0.1,1.0,10,0,99,1,,,,5,1.5\n4,0.4,0.1,1.0,10,0,99,1,,,,5,3.0\n6,0.3,0.1"
    )
    log = MetricsLog(logs)
    log.close()
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4"]
    assert log.seconds_before == 3.0


def test_checkpoint_of_another_run_is_refused(train):
    train("run")
    with pytest.raises(UserError, match="belongs to run k, not to other"):
        train("run", key="other")


def test_state_without_a_finite_loss_is_never_saved(train, tmp_path):
    sections = {"tracking": {"log_every": 8}, "checkpoints": {"save_every": 3}}
    with pytest.raises(UserError, match="the checkpoint before is kept"):
        train("run", sampler=NaNAt, monitoring={"not_finite": "warn"}, **sections)
    kept = sorted((tmp_path / "run/checkpoints").glob("*.safetensors"))
    assert [path.stem for path in kept] == ["step_00000000", "step_00000003"]
    assert all(tensor.isfinite().all() for path in kept for tensor in load_file(path).values())


def test_learning_rate_warms_up_and_falls_to_its_final_fraction():
    config = TrainingSection(
        num_steps=110, warmup_steps=10, learning_rate=1e-2, final_lr_fraction=0.1
    )
    rates = [learning_rate(step, config) for step in range(111)]
    assert rates[:10] == pytest.approx([1e-3 * (step + 1) for step in range(10)])
    assert max(rates) == pytest.approx(1e-2)
    assert rates[60] == pytest.approx(5.5e-3)  # half-way down the cosine
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[110] == pytest.approx(1e-3)
    assert rates[109] == pytest.approx(1e-3, rel=0.01)


def test_no_warmup_starts_at_the_peak():
    config = TrainingSection(num_steps=10, warmup_steps=0, learning_rate=1e-2)
    assert learning_rate(0, config) == pytest.approx(1e-2)


def test_metrics_show_the_learning_rate_that_was_used(train, tmp_path):
    train("run")
    config = TrainingSection(num_steps=8, batch_size=8, warmup_steps=2)
    shown = [float(row["learning_rate"]) for row in rows(tmp_path / "run")]
    assert shown == [learning_rate(step - 1, config) for step in (1, 2, 4, 6, 8)]


def test_gpu_asked_for_and_absent_is_a_mistake(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("cpu") == CPU
    with pytest.raises(UserError, match=r"resources\.accelerator is cuda"):
        choose_device("cuda")


def test_compiled_training_code_is_deterministic_too():
    code = """
import torch
from vla.process.determinism import set_determinism
set_determinism(1)
import torch._inductor.config
assert torch._inductor.config.deterministic
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_fast_mode_gives_up_exactness_and_says_so():
    try:
        fast = set_determinism(1, "fast")
        assert fast["mode"] == "fast"
        assert not fast["deterministic_algorithms"]
        assert fast["cudnn_benchmark"] and fast["tf32_matmul"] and fast["tf32_cudnn"]
    finally:
        strict = set_determinism(1)
    assert strict["mode"] == "strict"
    assert strict["deterministic_algorithms"]
    assert not (strict["cudnn_benchmark"] or strict["tf32_matmul"] or strict["tf32_cudnn"])
