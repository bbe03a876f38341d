"""Pairs of a public page, of the results in published/: both experiments have all three conditions."""

import shutil

import pytest

from tests.project import ROOT
from vla.files.described import describe_file
from vla.files.hashing import sha256_file
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan
from vla.records.comparison import ComparisonRecord
from vla.site.pairs import read_pairs
from vla.statistics.comparison import compare_conditions
from vla.statistics.episodes import read_episodes
from vla.words import CONDITIONS

NAMES = ("exp_004_training_seeds", "exp_005_pretrained_words")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The two experiments with their published results, by name."""
    root = tmp_path_factory.mktemp("published")
    for name in ("config", "envs", "experiments", "reports/templates", "scripts", "vla", ".dvc"):
        ignored = shutil.ignore_patterns("__pycache__", "checkpoints", "results", "logs", "cache")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    (root / "data").mkdir()
    for path in ROOT.glob("data/[!.]*.*"):
        shutil.copy(path, root / "data")
    for name in NAMES:
        shutil.copytree(ROOT / "published" / name, root / "experiments" / name, dirs_exist_ok=True)
    return dict(Plan(root, {"experiments": list(NAMES)}, Deployment(False, "cpu")).experiments)


def test_a_pair_is_compared_under_every_shared_condition(finished):
    (pair,) = read_pairs(finished, [])
    expected = compare_conditions(*(read_episodes(finished[name]) for name in NAMES))
    assert list(pair.rates) == list(CONDITIONS)
    assert pair.rates == expected
    assert {sha256 for _, sha256 in pair.sources} == {
        sha256_file(path)
        for experiment in finished.values()
        for path in experiment.folder.glob("results/*/*/episodes.parquet")
    }


def test_a_recorded_comparison_is_shown_with_all_that_it_holds(finished):
    root = finished[NAMES[0]].root
    (item,) = Plan(root, {"experiments": list(NAMES), "comparisons": [NAMES]}).comparisons
    held_out = compare_conditions(*(read_episodes(finished[name]) for name in NAMES))["held_out"]
    path = root / "results" / item.name / "comparison.json"
    path.parent.mkdir(parents=True)
    figure = describe_file(root / "config/config.yaml", root)
    record = {"experiments": NAMES, "names": NAMES, "figure": figure, **dict(held_out)}
    ComparisonRecord(**record, others={"held_out": held_out}).write(path)
    (pair,) = read_pairs(finished, [item])
    assert pair.recorded
    assert pair.rates == {"instructed": held_out, "held_out": held_out}
    assert pair.sources == ((path.relative_to(root).as_posix(), sha256_file(path)),)
