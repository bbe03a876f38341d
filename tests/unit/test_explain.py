"""A file is explained by the record that names it, however the file is pointed at."""

import pytest

from tests.records import make_run_record
from vla.errors import UserError
from vla.files.atomic import write_text
from vla.reproduction.explain import explain


@pytest.fixture
def policy(tmp_path):
    """The policy of a finished run, in an experiment's folder of its own."""
    folder = tmp_path / "experiments/e"
    path = folder / "checkpoints/seed1-k/policy.safetensors"
    write_text(path, "weights")
    identity = {"code": {}, "data": {"stores": [{"cameras": ["side"], "share": 1.0}]}}
    record = make_run_record(path, folder, identity=identity)
    record.write(folder / "results/seed1-k/run.json")
    return path


def test_way_to_the_file_does_not_matter(policy, tmp_path, monkeypatch):
    story = explain(policy)
    assert story.startswith("policy.safetensors: made by training, key k\n")
    monkeypatch.chdir(policy.parent)
    assert explain(policy.relative_to(policy.parent)) == story
    assert explain(policy.parent / "../../results/../checkpoints/seed1-k" / policy.name) == story
    for link in (tmp_path / policy.name, policy.parents[2] / policy.name):
        link.symlink_to(policy)
        assert explain(link) == story


def test_checkpoints_may_be_a_link_to_another_disk(policy, tmp_path):
    checkpoints = policy.parents[1]
    checkpoints.rename(tmp_path / "large-disk")
    checkpoints.symlink_to(tmp_path / "large-disk")
    assert "made by training, key k" in explain(policy)
    policy.write_text("changed")
    with pytest.raises(UserError, match="has changed since it was recorded"):
        explain(policy)


def test_damaged_record_is_named_only_where_no_other_names_the_file(policy):
    damaged = policy.parents[2] / "results/seed0-k/run.json"
    write_text(damaged, "{")
    assert "made by training, key k" in explain(policy)
    policy.with_name("unnamed").touch()
    with pytest.raises(UserError, match="No record of e names unnamed") as raised:
        explain(policy.with_name("unnamed"))
    assert f"{damaged} is damaged" in str(raised.value)


def test_file_outside_experiments_is_told_what_can_be_explained(tmp_path):
    report = tmp_path / "reports/report-0123456789ab/report.html"
    write_text(report, "of an earlier configuration")
    with pytest.raises(UserError, match="the report or a comparison"):
        explain(report)


def test_report_is_not_explained_without_a_configuration(tmp_path):
    write_text(tmp_path / "Snakefile", "")
    write_text(tmp_path / "config/config.yaml", "experimens: []")
    write_text(tmp_path / "reports/report.html", "numbers")
    with pytest.raises(UserError, match="experimens"):
        explain(tmp_path / "reports/report.html")
