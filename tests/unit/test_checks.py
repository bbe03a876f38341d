"""What is found before a run, with figures that hold."""

import shutil
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest
import yaml

from tests.project import ROOT
from vla.checks.dataset import can_be_pulled
from vla.checks.estimates import disk_needs, parameter_count
from vla.checks.findings import check_experiment, require
from vla.data.manifest import read_manifest
from vla.data.places import dataset_folder, manifest_file
from vla.errors import UserError
from vla.files.atomic import write_json
from vla.files.yaml import read_yaml
from vla.plan.items import Experiment
from vla.plan.plan import Plan


def found(experiment: Experiment) -> dict[str, str]:
    findings = check_experiment(experiment, experiment.root, allow_dirty=False)
    return {finding.name: f"{finding.status}: {finding.found}" for finding in findings}


def test_dataset_that_is_neither_here_nor_anywhere_fails(experiment):
    assert found(experiment)["dataset"].startswith("fail: metaworld-4tasks 2.0.0, content 4a401c")
    entry = experiment.datasets[0]
    files = read_manifest(manifest_file(entry, experiment.root)).files
    assert not can_be_pulled(entry, files, experiment.root)
    shutil.copytree(ROOT / "data/dvc-remote", experiment.root / "data/dvc-remote")
    assert can_be_pulled(entry, files, experiment.root)
    assert found(experiment)["dataset"].endswith(
        "0 of 7 files here; dvc pull brings the rest from embedded (../data/dvc-remote)"
    )


def test_sizes_are_known_before_the_data_is_fetched(experiment):
    """Stated or unknown while nothing tells; then from the dataset's description in DVC's storage."""
    assert parameter_count(experiment) == 240_000
    assert "prepared data unknown before the data is here" in found(experiment)["disk"]
    shutil.copytree(ROOT / "data/dvc-remote", experiment.root / "data/dvc-remote")
    assert parameter_count(experiment) == pytest.approx(240_000, rel=0.02)
    needs = {need.what: need.count for need in disk_needs(experiment, 1_000_000)}
    files = read_manifest(manifest_file(experiment.datasets[0], experiment.root)).files
    assert needs == {
        "3 checkpoints": 3 * 12e6,  # two kept, one being written
        "results": needs["results"],
        "dataset": 2 * sum(file.bytes for file in files),  # here, and in DVC's cache
        "prepared data": 10650 * 64 * 64 * 3,
    }


def test_what_is_already_written_is_not_counted_again(experiment):
    def counts() -> list[float | None]:
        return [need.count for need in disk_needs(experiment, 1_000_000)][:2]

    before = counts()
    (run,) = experiment.runs
    write_json(experiment.run_record(run), {})
    assert counts() == [0, before[1]], "trained: no more checkpoints"
    for evaluation in run.evaluations:
        write_json(experiment.evaluation_record(run, evaluation), {})
    assert 0 < counts()[1] < before[1], "evaluated: films are still to come"
    for record in experiment.film_records():
        write_json(record, {})
    assert counts() == [0, 0]


def test_description_of_a_dataset_that_is_not_the_pinned_one_is_not_believed(experiment):
    info = dataset_folder(experiment.datasets[0], experiment.root) / "meta/info.json"
    info.parent.mkdir(parents=True)
    info.write_text('{"features": {}, "total_frames": 1}')
    assert parameter_count(experiment) == 240_000
    shutil.copytree(ROOT / "data/dvc-remote", experiment.root / "data/dvc-remote")
    assert "prepared data unknown before the data is here" in found(experiment)["disk"]


def test_unknown_size_of_a_model_is_told_as_unknown(experiment):
    """Neither stated nor, before the data is here, computed: no need of 0 B."""
    path = experiment.folder / "config.yaml"
    stated = yaml.safe_load(path.read_text())
    del stated["model"]["num_params"]
    path.write_text(yaml.safe_dump(stated))
    config = read_yaml(experiment.root / "config/config.yaml")
    lines = found(Plan(experiment.root, config).find_experiment(experiment.name))
    unknown = "unknown before the data is here"
    assert lines["model"] == f"ok: its size is {unknown}"
    assert f"(3 checkpoints {unknown}, results {unknown}, " in lines["disk"]
    assert lines["device"].endswith(f"what training takes is {unknown}")


def stand_in_gpu(monkeypatch, name: str, memory: float, native_bf16: bool = True) -> None:
    """A GPU as far as the check asks: `memory` in bytes, and bf16 natively or as PyTorch emulates it."""

    def is_bf16_supported(including_emulation: bool = True) -> bool:
        return including_emulation or native_bf16

    gpu = SimpleNamespace(name=name, total_memory=memory)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: gpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", is_bf16_supported)


@pytest.mark.parametrize("emulates", [True, False])
def test_bf16_that_a_gpu_only_emulates_is_told_to_be_slow(experiment, monkeypatch, emulates):
    stand_in_gpu(monkeypatch, "Old GPU", 16e9, native_bf16=not emulates)
    training = experiment.config.training.model_copy(update={"precision": "bf16"})
    config = experiment.config.model_copy(update={"training": training})
    lines = found(replace(experiment, config=config, accelerator="cuda"))
    assert lines["device"] == "ok: Old GPU"
    assert lines.get("precision") == ("warn: bf16 is slow on Old GPU" if emulates else None)


def test_too_little_memory_to_train_is_refused_with_what_would_help(experiment, monkeypatch):
    stand_in_gpu(monkeypatch, "Toy GPU", 1e6)
    changed = replace(experiment, accelerator="cuda")
    findings = check_experiment(changed, experiment.root, allow_dirty=False)
    (device,) = (finding for finding in findings if finding.name == "device")
    assert device.status == "fail"
    assert device.way_out == (
        "Take a smaller model, a device with more memory "
        "or more devices (training.sharding: fsdp2, docs/clusters.md)."
    )


def test_processor_that_cannot_do_portable_arithmetic_is_refused(experiment, monkeypatch):
    monkeypatch.setattr("vla.checks.findings.lacks_portable", lambda: "it lacks avx2")
    assert "this processor is not: it lacks avx2" in found(experiment)["device"]
    training = experiment.config.training.model_copy(update={"determinism": "strict"})
    config = experiment.config.model_copy(update={"training": training})
    assert found(replace(experiment, config=config))["device"].startswith("ok: CPU")


def test_outside_git_is_a_warning(experiment):
    assert found(experiment)["code"] == "warn: outside git"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:hunter2@127.0.0.1:9/hunter2?token=hunter2", "warn: http://127.0.0.1:9 does"),
        ("http://me:hunter2@127.0.0.1:hunter2", "warn: its address is no scheme://host:port"),
        ("postgresql://me:hunter2@host:hunter2/db", "warn: its address is no scheme://host:port"),
        ("postgresql://me:hunter2@host/db", "ok: postgresql://host"),
        ("postgresql:///db?password=hunter2", "ok: postgresql:///db"),
    ],
)
def test_address_of_a_tracker_is_shown_without_credentials(experiment, monkeypatch, address, shown):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    told = found(experiment)["MLflow"]
    assert told.startswith(shown)
    assert "hunter2" not in told


def test_every_failed_line_is_told_with_its_way_out(experiment):
    findings = check_experiment(experiment, experiment.root, allow_dirty=False)
    with pytest.raises(UserError, match="exp_001_baseline is not ready to run") as caught:
        require(findings, experiment.name)
    assert "data/README.md" in caught.value.problem
    assert "hypothesis" not in caught.value.problem


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("nohup.out", "ok"),
        ("notes.md", "ok"),
        ("results.txt", "ok"),
        ("tests/test_mine.py", "ok"),
        ("helper.py", "fail"),
        ("vla/new.py", "fail"),
        ("plugins/policies/mine/policy.py", "fail"),
        ("data/set.manifest.json", "fail"),
        ("config/credentials.yaml", "fail"),
    ],
)
def test_new_file_refuses_a_run_only_when_it_could_decide_it(experiment, name, status):
    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        subprocess.run(command, cwd=experiment.root, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "state")
    assert found(experiment)["code"].startswith("ok: committed")
    (experiment.root / name).parent.mkdir(parents=True, exist_ok=True)
    (experiment.root / name).write_text("new\n")
    line = found(experiment)["code"]
    assert line.startswith(f"{status}: ")
    assert name in line, "told either way"
