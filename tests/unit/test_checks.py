"""What is found before a run, with figures that hold."""

import shutil

import pytest

from tests.project import ROOT
from vla.checks.estimates import can_be_pulled, disk_needs, parameter_count
from vla.checks.findings import check_experiment, require
from vla.config.load import read_yaml
from vla.data.manifest import read_manifest
from vla.errors import UserError
from vla.items import Experiment
from vla.plan import Plan


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    """The baseline in a copy of what plans are made from; the dataset is only pinned."""
    for name in ("config", "envs", "experiments", "reports/templates", "scripts", "vla", ".dvc"):
        ignored = shutil.ignore_patterns("__pycache__", "checkpoints", "results", "logs", "cache")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    (tmp_path / "data").mkdir()
    for path in ROOT.glob("data/metaworld-4tasks.*"):
        shutil.copy(path, tmp_path / "data")
    config = read_yaml(tmp_path / "config/config.yaml") | {
        "experiments": ["exp_001_baseline"],
        "comparisons": [],
    }
    return Plan(tmp_path, config).experiments["exp_001_baseline"]


def found(experiment: Experiment) -> dict[str, str]:
    findings = check_experiment(experiment, experiment.root, allow_dirty=False)
    return {finding.name: f"{finding.status}: {finding.found}" for finding in findings}


def test_dataset_that_is_neither_here_nor_anywhere_fails(experiment):
    assert found(experiment)["dataset"].startswith("fail: metaworld-4tasks 1.0.0, content 26c369")
    manifest = read_manifest(experiment.dataset.manifest(experiment.root))
    assert not can_be_pulled(manifest, experiment.root)
    shutil.copytree(ROOT / "data/dvc-remote", experiment.root / "data/dvc-remote")
    assert can_be_pulled(manifest, experiment.root)
    assert found(experiment)["dataset"].endswith("0 of 7 files here; dvc pull brings the rest")


def test_size_is_that_of_the_model_or_what_is_stated(experiment):
    assert parameter_count(experiment) == 520_000  # stated: nothing else is known without data
    info = experiment.dataset.folder(experiment.root) / "meta/info.json"
    info.parent.mkdir(parents=True)
    shutil.copy(ROOT / "tests/data/info.json", info)
    assert parameter_count(experiment) == pytest.approx(530_000, rel=0.02)
    needs = disk_needs(experiment, 1_000_000)
    assert needs["3 checkpoints"] == 3 * 12e6  # two kept, one being written
    assert needs["prepared data"] > 0


def test_outside_git_is_a_warning(experiment):
    assert found(experiment)["code"] == "warn: outside git"


def test_every_failed_line_is_told_with_its_way_out(experiment):
    findings = check_experiment(experiment, experiment.root, allow_dirty=False)
    with pytest.raises(UserError, match="exp_001_baseline is not ready to run") as caught:
        require(findings, experiment.name)
    assert "data/README.md" in caught.value.problem
    assert "hypothesis" not in caught.value.problem
