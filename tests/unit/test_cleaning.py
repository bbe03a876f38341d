"""What may go from the disk: never what an experiment folder uses, a record names, or somebody writes."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.records import make_run_record
from vla.cli.main import app
from vla.errors import UserError
from vla.files.atomic import write_json
from vla.files.described import describe_file
from vla.files.exclusive import exclusive
from vla.files.yaml import read_yaml
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.records.checkpoint import CheckpointRecord
from vla.records.events import Event
from vla.records.run import RunFiles
from vla.upkeep.disk import find_old, remove


@pytest.fixture
def plan(experiment) -> Plan:
    """Lists the baseline; two more experiments lie beside it."""
    config = read_yaml(experiment.root / "config/config.yaml")
    return Plan(experiment.root, config | {"experiments": [experiment.name], "comparisons": []})


def make_store(plan: Plan, name: str) -> Path:
    folder = plan.root / "data/.prepared" / name
    folder.mkdir(parents=True)
    (folder / "pictures.npy").write_bytes(b"0" * 100)
    (folder / "prepared.json").write_text("{}")
    return folder


def going(plan: Plan) -> list[Path]:
    return [item.folder for item in find_old(plan)[0]]


def reasons(plan: Plan) -> list[str]:
    return [item.why for item in find_old(plan)[1]]


@pytest.mark.parametrize("use_conda", [False, True])
def test_store_of_any_experiment_folder_stays_under_either_deployment(plan, use_conda):
    """Also of one that config.yaml does not list, here with pictures of its own."""
    path = plan.root / "experiments/exp_002_action_tokens/config.yaml"
    path.write_text(path.read_text().replace("data:\n", "data:\n  cameras: [front]\n"))
    assert "cameras: [front]" in path.read_text()
    config = plan.config.model_dump(mode="json")
    asked = config | {"experiments": ["exp_001_baseline", path.parent.name]}
    both = Plan(plan.root, asked, Deployment(use_conda, "cpu"))
    used = [make_store(plan, experiment.stores[0].name) for experiment in both.experiments.values()]
    unused = make_store(plan, "metaworld-4tasks-0123456789ab")
    assert len(set(used)) == 2
    assert going(plan) == [unused]
    remove(find_old(plan)[0], plan.root)
    assert not unused.exists()
    assert all(folder.is_dir() for folder in used)


def test_experiment_that_cannot_be_read_protects_every_store(plan):
    """It may be half written: which store it uses is not known yet."""
    unused = make_store(plan, "metaworld-4tasks-0123456789ab")
    (plan.root / "experiments/exp_002_action_tokens/config.yaml").write_text("experiment: {")
    assert going(plan) == []
    assert "exp_002_action_tokens/config.yaml is not valid YAML" in reasons(plan)[0]
    assert unused.is_dir()


def test_half_written_store_stays(plan):
    (make_store(plan, "metaworld-4tasks-0123456789ab") / "prepared.json").unlink()
    assert going(plan) == []
    assert reasons(plan) == ["half written: somebody may be at work on it"]


def test_what_the_workflow_did_not_make_stays(plan, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("shared")
    (elsewhere / "prepared.json").write_text("{}")
    make_store(plan, "mine")
    (plan.root / "data/.prepared/metaworld-4tasks-0123456789ab").symlink_to(elsewhere)
    assert going(plan) == []
    assert reasons(plan) == ["not made by the workflow"] * 2


def test_store_goes_while_nobody_else_is_at_work_on_it(plan, monkeypatch):
    folder = make_store(plan, "metaworld-4tasks-0123456789ab")

    def rmtree(path: Path) -> None:
        with pytest.raises(UserError, match="Another process is at work"), exclusive(path):
            pass
        gone.append(path)

    gone: list[Path] = []
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    remove(find_old(plan)[0], plan.root)
    assert gone == [folder]


def test_store_that_somebody_is_at_work_on_stays_whole(plan):
    folder = make_store(plan, "metaworld-4tasks-0123456789ab")
    with exclusive(folder), pytest.raises(UserError, match="Another process is at work"):
        remove(find_old(plan)[0], plan.root)
    assert (folder / "pictures.npy").is_file()


@pytest.mark.parametrize(("settings", "going"), [({}, {4, 12}), ({"keep_every": 6}, {4})])
def test_checkpoints_that_an_anomaly_or_the_configuration_names_stay(plan, settings, going):
    """The record says of an anomaly that one can go back to the last good one, that of step 8."""
    folder = plan.root / "experiments/exp_001_baseline"
    checkpoints = folder / "checkpoints/seed1-k"
    checkpoints.mkdir(parents=True)
    for step in (4, 8, 12):
        record = CheckpointRecord(key="k", step=step, loss=1.0, weights=None)
        record.write(checkpoints / f"step_{step:08d}.json")
        (checkpoints / f"step_{step:08d}.safetensors").write_bytes(b"0")
    policy = checkpoints / "policy.safetensors"
    policy.write_bytes(b"0")
    resolved = folder / "results/seed1-k/config.resolved.json"
    write_json(resolved, {"checkpoints": settings})
    events = [
        Event(kind="loss_spike", step=9, value=2.0, threshold=1.0, action="warn", checkpoint=good)
        for good in (8, None)
    ]
    file = describe_file(policy, folder)
    files = RunFiles(policy=file, description=file, metrics=file, configuration=file)
    record = make_run_record(events=events, files=files)
    record.write(resolved.with_name("run.json"))
    (item,) = find_old(plan)[0]
    assert {path.stem for path in item.files} == {f"step_{step:08d}" for step in going}


@pytest.mark.parametrize("name", ["../exp_001_baseline", "exp_001", "data", "/", ""])
def test_name_of_no_experiment_removes_nothing(plan, monkeypatch, name):
    unused = make_store(plan, "metaworld-4tasks-0123456789ab")
    (plan.root / "Snakefile").touch()
    monkeypatch.chdir(plan.root)
    answer = CliRunner().invoke(app, ["clean", "--old", name])
    assert isinstance(answer.exception, UserError)
    assert f"There is no experiment {name!r}" in answer.exception.problem
    assert unused.is_dir()
