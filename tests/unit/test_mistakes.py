"""Every mistake that a plan or a check can find: named, with the way out, before any work."""

import shutil

import pytest
import yaml

from tests.project import ROOT
from vla.checks.findings import check_experiment, require
from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.plan.plan import Plan

NAME = "exp_002_action_tokens"


class Folder:
    """A project of one experiment, to make mistakes in."""

    def __init__(self, root):
        self.root = root
        self.config = root / f"experiments/{NAME}/config.yaml"

    def change(self, section: str, **values: object) -> None:
        content = yaml.safe_load(self.config.read_text())
        content[section] = content.get(section, {}) | values
        self.config.write_text(yaml.safe_dump(content))

    def plan(self) -> Plan:
        plan = Plan(self.root, read_yaml(self.root / "config/config.yaml"))
        assert plan.report
        return plan

    def check(self) -> None:
        plan = self.plan()
        (experiment,) = plan.experiments.values()
        findings = check_experiment(experiment, self.root, plan.config.allow_dirty)
        require(findings, experiment.name)


@pytest.fixture
def folder(experiment) -> Folder:
    """`experiment` gives a copy of what plans are made from."""
    folder = Folder(experiment.root)
    shutil.copytree(ROOT / "data/dvc-remote", folder.root / "data/dvc-remote")
    (folder.root / "config/config.yaml").write_text(yaml.safe_dump({"experiments": [NAME]}))
    return folder


def change(section: str, **values: object):
    return lambda folder: folder.change(section, **values)


def name_a_dataset_of(layout: str):
    """Registers a dataset in a layout, and trains on it."""

    def register(folder: Folder) -> None:
        path = folder.root / "config/datasets.yaml"
        registry = yaml.safe_load(path.read_text())
        registry["other"] = registry["metaworld-4tasks"] | {"format": layout}
        path.write_text(yaml.safe_dump(registry))
        folder.change("data", dataset="other")

    return register


PLANNED = {
    "unknown key": (
        change("training", learning_rat=3e-4),
        ["training.learning_rat", "did you mean 'learning_rate'?", f"{NAME}/config.yaml"],
    ),
    "impossible value": (
        change("training", batch_size=-1),
        ["training.batch_size", "greater than 0", "-1"],
    ),
    "percent for a fraction": (
        change("experiment", targets={"success_rate": 75}),
        ["experiment.targets.success_rate", "write 0.75"],
    ),
    "unregistered dataset": (
        change("data", dataset="metaworld-4task"),
        ["nobody registered 'metaworld-4task'", "did you mean 'metaworld-4tasks'?"],
    ),
    "unknown policy family": (
        change("model", type="RT3"),
        ["config.yaml", "model.type", "did you mean 'rt2'?", "docs/plugins.md"],
    ),
    "unknown simulator": (
        change("evaluation", simulator={"type": "metawrld"}),
        ["config.yaml", "evaluation.simulator.type", "did you mean 'metaworld'?"],
    ),
    "key of another family": (
        change("model", type="BC", num_bins=16),
        ["model.num_bins: unknown key"],
    ),
    "chunk shorter than what is executed": (
        change("model", chunk_length=4),
        ["evaluation.execute_steps (8) exceeds model.chunk_length (4)"],
    ),
    "dataset without a reader": (
        name_a_dataset_of("rlds"),
        ["other has the format 'rlds', which nothing here reads", "lerobot-v3"],
    ),
    "dataset and mixture": (
        change("data", mixture={"metaworld-4tasks": 1}),
        ["data: give `dataset` or `mixture`, not both"],
    ),
    "unregistered dataset of a mixture": (
        change("data", dataset=None, mixture={"metaworld-4tasks": 1, "metaworld-5": 1}),
        ["nobody registered 'metaworld-5'"],
    ),
    "experiment without configuration": (
        lambda folder: folder.config.unlink(),
        [f"experiments/{NAME}/config.yaml is missing"],
    ),
    "broken YAML": (
        lambda folder: folder.config.write_text("a: [1"),
        [f"experiments/{NAME}/config.yaml is not valid YAML"],
    ),
    "section that is no mapping": (
        lambda folder: folder.config.write_text("model: RT2\n"),
        ["model:", "training: missing"],
    ),
    "unknown key of the workflow": (
        lambda folder: (folder.root / "config/config.yaml").write_text("experiment: [a]\n"),
        ["experiment: unknown key; did you mean 'experiments'?"],
    ),
    "training code that is no Python": (
        lambda folder: folder.config.with_name("train.py").write_text("def train(:\n"),
        ["train.py is not valid Python"],
    ),
}


@pytest.mark.parametrize("name", PLANNED)
def test_mistake_is_named_when_the_plan_is_made(folder, name):
    mistake, expected = PLANNED[name]
    mistake(folder)
    with pytest.raises(UserError) as error:
        folder.plan()
    for words in expected:
        assert words in str(error.value)
    assert error.value.way_out


UNREADY = {
    "no hypothesis": (
        change("experiment", hypothesis=""),
        ["hypothesis: empty", "Write experiment.hypothesis in", "what you expect, and why"],
    ),
    "no plan": (change("experiment", plan=[]), ["plan: empty", "Write experiment.plan in"]),
    "no target": (change("experiment", targets={}), ["targets: empty", "success_rate: 0.85"]),
    "too little space": (
        change("resources", disk_gb=1e6),
        ["MB needed (3 checkpoints", "1000000.0 GB stay free", "vla clean"],
    ),
    "no GPU": (
        change("resources", accelerator="cuda"),
        ["sees no GPU here", "accelerator: cpu"],
    ),
    "another size than stated": (
        change("model", num_params="300M"),
        ["model.num_params states 300.00M parameters", "but this model has 0."],
    ),
}


@pytest.mark.parametrize("name", UNREADY)
def test_mistake_is_named_by_the_check(folder, name):
    mistake, expected = UNREADY[name]
    mistake(folder)
    with pytest.raises(UserError, match=f"{NAME} is not ready to run") as error:
        folder.check()
    for words in expected:
        assert words in str(error.value)
