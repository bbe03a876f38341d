"""The whole chain, once, and what it leaves behind."""

import json

import pandas as pd

from tests.project import SECRET
from vla.files.described import check_file
from vla.files.hashing import sha256_file
from vla.records.film import FilmRecord
from vla.records.run import RunRecord


def test_every_document_is_made(finished):
    readme = (finished.root / "experiments/a/README.md").read_text()
    for section in (
        "## Description",
        "## Research Goals",
        "## ⚠️ Risk Warnings",
        "### 🟡 High",
        "## Results",
        "Success rate",
        "Training time",
        "Final loss",
        "## Reproducibility",
        "Python version",
        "PyTorch version",
        "CUDA version",
        "Git commit",
        "Dataset version",
        "Hardware",
    ):
        assert section in readme
    assert "<html" in (finished.root / "reports/report.html").read_text()


def test_every_episode_is_recorded(finished):
    episodes = pd.concat(map(pd.read_parquet, finished.root.glob("experiments/*/**/*.parquet")))
    assert len(episodes) == 2 * 3  # two episodes of three runs
    columns = {"task", "episode", "seed", "instruction", "outcome", "steps", "condition"}
    assert columns <= set(episodes.columns)
    assert set(episodes["outcome"]) <= {"success", "failure"}
    assert (episodes["instruction"] != "").all()
    by_start = episodes.groupby(["task", "episode"])["seed"].nunique()
    assert (by_start == 1).all(), "every policy meets the same initial states"


def test_records_name_what_was_made_and_of_what(finished):
    record = RunRecord.read(finished.one("experiments/b/results/seed1-*/run.json"))
    for file in record.all_files():
        assert sha256_file(finished.root / "experiments/b" / file.path) == file.sha256
    assert record.git.commit == finished.git("rev-parse", "HEAD").strip()
    assert record.git.dirty == ()
    assert record.environment.packages["snakemake"]
    assert record.identity["training"]["num_steps"] == 6
    code = record.identity["code"]
    assert {"vla/training/standard.py", "vla/policies/rt1/policy.py"} <= code.keys()
    assert "vla/policies/bc/policy.py" not in code, "a family that was not chosen"
    assert record.determinism.deterministic_algorithms is True
    resolved = json.loads(finished.one("experiments/b/results/*/config.resolved.json").read_text())
    assert resolved["training"]["betas"] == [0.9, 0.95], "defaults are written out"


def test_numbers_in_the_readme_are_those_of_the_episodes(finished):
    episodes = pd.concat(map(pd.read_parquet, finished.root.glob("experiments/a/**/*.parquet")))
    successes = int(episodes["success"].sum())
    readme = (finished.root / "experiments/a/README.md").read_text()
    assert f"**{successes}/{len(episodes)}**" in readme


def test_no_secret_of_the_environment_is_written(finished):
    for path in finished.root.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_failures_are_filmed(finished):
    folder = finished.root / "experiments/a"
    records = [FilmRecord.read(path) for path in folder.glob("results/*/*/film-*/film.json")]
    assert len(records) == 2, "one of each run"
    for record in records:
        (film,) = record.films
        assert (film.task, film.outcome) == ("button-press-topdown-v3", "failure")
        check_file(film.file, folder)
