"""An OpenVLA checkpoint through the project's own jobs: pinned, verified, imported, evaluated, described."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from scripts.evaluate import evaluate
from scripts.import_policy import import_policy
from tests.openvla_checkpoints import write_checkpoint
from tests.project import ROOT
from vla.checks.estimates import disk_needs, evaluation_bytes, parameter_count
from vla.errors import UserError
from vla.plan.deployment import Deployment
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.plan.reading import load_experiment
from vla.plan.weights import load_weights
from vla.records.evaluation import EvaluationRecord
from vla.records.policy import PolicyDescription
from vla.records.run import RunRecord
from vla.weights.pinning import pin_weights
from vla.weights.verification import current_record, verify
from vla.workflow.context import JobContext
from vla.workflow.job import Job

TASK = "button-press-topdown-v3"
CONFIG = {
    "experiment": {"name": "published"},
    "model": {
        "type": "openvla",
        "weights": "tiny-openvla",
        "num_params": "26M",
        "cameras": {"image": "side"},
        "tasks": {TASK: ["press the button"]},
    },
    "evaluation": {"episodes_per_task": 1, "max_steps": 2, "execute_steps": 1},
    "resources": {"accelerator": "cpu", "evaluation_workers": 3},
}
HERE = Deployment(False, "cpu")
ASKED = {"experiments": ["published"], "comparisons": [], "allow_dirty": True}


@pytest.fixture(autouse=True)
def computed_before(monkeypatch) -> None:
    """Other tests have computed in this process: portable arithmetic would come too late."""
    for script in ("evaluate", "import_policy"):
        monkeypatch.setattr(f"scripts.{script}.evaluation_mode", lambda *_: "strict")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """As fine-tuned for this simulator's arm, whose actions are four numbers."""
    folder = write_checkpoint("single", tmp_path_factory.mktemp("hub") / "openvla")
    (folder / "modeling_prismatic.py").write_text("raise SystemExit")
    action = {"q01": [-1.0] * 3 + [0.0], "q99": [1.0] * 4, "mask": [True] * 3 + [False]}
    (folder / "dataset_statistics.json").write_text(json.dumps({"buttons": {"action": action}}))
    return folder


@pytest.fixture
def published(experiment, checkpoint) -> Experiment:
    """An experiment with the checkpoint, pinned and verified."""
    root = experiment.root
    (root / "experiments/published").mkdir()
    (root / "experiments/published/config.yaml").write_text(yaml.safe_dump(CONFIG))
    entry = {"folder": str(checkpoint), "licence": "MIT"}
    (root / "config/weights.yaml").write_text(yaml.safe_dump({"tiny-openvla": entry}))
    pin_weights(load_weights(root)["tiny-openvla"])
    weights = load_weights(root)["tiny-openvla"]
    verify(weights, current_record(weights))
    return Plan(root, ASKED, HERE).experiments["published"]


def test_it_is_imported_and_evaluated_as_any_policy(published):
    (run,), (weights,) = published.runs, published.weights
    assert [file.path for file in weights.files if not file.path.endswith(".json")] == [
        f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)
    ]  # no code came along
    job = Job(JobContext(published.root, HERE, "snakemake"), ASKED)
    path = published.run_record(run)
    for folder in (path.parent, published.folder / "checkpoints" / run.name):
        folder.mkdir(parents=True)
    import_policy(published, run, path, job, lambda: ())
    record = RunRecord.read(path)
    record.check_files(published.folder)
    assert record.identity["imported"] == {file.path: file.sha256 for file in weights.files}
    assert {"pillow", "tokenizers", "transformers"} <= set(record.identity["environment"])
    description = PolicyDescription.read(published.folder / record.files.description.path)
    assert description.imported.execute_steps == 1

    evaluation = run.evaluations[0]
    path = published.evaluation_record(run, evaluation)
    path.parent.mkdir()
    evaluate(published, run, evaluation, path, 1, job)
    table = pd.read_parquet(path.with_name("episodes.parquet"))
    assert list(table["outcome"]) == ["failure"] and list(table["steps"]) == [2]
    assert EvaluationRecord.read(path).policy_sha256 == record.files.policy.sha256


def test_check_counts_numbers_of_two_bytes_and_workers_that_share_a_gpu(published):
    (weights,) = published.weights
    tensors = sum(f.bytes for f in weights.files if f.path.endswith(".safetensors"))
    count = parameter_count(published)
    assert tensors / 2 == pytest.approx(count, rel=0.01)
    needs = {need.what: need.count for need in disk_needs(published, count)}
    assert tensors < needs["results"] < 1.1 * tensors  # and a few films
    assert evaluation_bytes(replace(published, accelerator="cuda"), count) == 3 * tensors
    for path in weights.folder.glob("*.safetensors"):
        path.unlink()
    assert parameter_count(published) == 26_000_000  # as stated, until the files are here


def test_several_actions_at_once_are_refused_with_the_reason(published):
    path = published.folder / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG | {"evaluation": {"max_steps": 2}}))
    with pytest.raises(UserError, match=r"execute_steps \(8\) exceeds model.chunk_length \(1\)"):
        Plan(published.root, ASKED, HERE).experiments  # noqa: B018 - read lazily


def test_example_asks_what_the_example_that_is_trained_here_asks():
    """So that their episodes can be paired."""
    published, ours = (
        load_experiment(ROOT / f"experiments/{name}/config.yaml")
        for name in ("exp_105_openvla_libero_spatial", "exp_102_libero_spatial")
    )
    assert list(published.model.tasks) == list(ours.evaluation.tasks)
    assert all(sentences == (task,) for task, sentences in published.model.tasks.items())
    for name in ("episodes_per_task", "first_seed", "max_steps"):
        assert getattr(published.evaluation, name) == getattr(ours.evaluation, name)
    assert published.model.cameras["image"] in published.evaluation.simulator.cameras
