"""Whether one run reproduces another, where a result comes from, and running it again."""

import shutil
from dataclasses import replace

import pytest

from tests.commands import ask
from vla.files.yaml import read_yaml
from vla.records.run import RunRecord


def test_copied_results_verify_as_identical(finished, project):
    code, printed = ask(project.root, "verify", *(str(p.runs("a")[0]) for p in (finished, project)))
    assert code == 0
    assert printed.startswith("IDENTICAL")
    assert "Differs" not in printed


def test_other_kind_of_model_is_listed(finished):
    code, printed = ask(finished.root, "verify", *(str(finished.runs(name)[0]) for name in "ab"))
    assert code != 0
    assert "model.type BC → RT1" in printed


def test_policy_that_changed_is_refused(project):
    run = project.runs("a")[0]
    policy = project.one(f"experiments/a/checkpoints/{run.name}/policy.safetensors")
    content = bytearray(policy.read_bytes())
    content[-1] ^= 1
    policy.write_bytes(content)
    code, printed = ask(project.root, "explain", str(policy))
    assert code == 1
    assert "has changed since it was recorded" in printed


def test_explain_tells_the_story_of_a_result_down_to_the_data(finished):
    run = finished.runs("a")[0]
    (episodes,) = run.glob("*/episodes.parquet")
    code, printed = ask(finished.root, "explain", str(episodes))
    assert code == 0
    assert f"of the policy of run {run.name.split('-')[1]} (seed 1)" in printed
    assert "on dataset metaworld-4tasks 2.0.0, content 4a401c4e7c62" in printed
    assert finished.git("rev-parse", "HEAD").strip() in printed


def test_explain_tells_what_a_video_shows(finished):
    run = finished.runs("a")[0]
    (video,) = run.glob("*/film-*/*.gif")
    code, printed = ask(finished.root, "explain", str(video))
    assert code == 0
    assert f"{video.name}: made by film" in printed
    evaluation = video.parents[1].name.split("-")[1]
    assert f"of the evaluation {evaluation}, instructed" in printed
    assert f"of the policy of run {run.name.split('-')[1]} (seed 1)" in printed


def test_document_names_the_records_it_shows(finished):
    for name in (
        "README.md",
        "models/v1.0.0/MODEL_CARD.md",
        "results/summary-*/summary.json",
        "results/figures-*/*curve.svg",
    ):
        code, printed = ask(finished.root, "explain", str(finished.one(f"experiments/b/{name}")))
        assert code == 0
        assert str(finished.one("experiments/b/results/seed1-*/run.json")) in printed
        assert str(finished.one("experiments/b/results/seed1-*/*/evaluation.json")) in printed


@pytest.mark.parametrize("name", ["summary-*/summary.json", "figures-*/*curve.svg"])
def test_document_that_changed_is_refused(project, name):
    document = project.one(f"experiments/b/results/{name}")
    content = bytearray(document.read_bytes())
    content[len(content) // 2] ^= 1
    document.write_bytes(content)
    code, printed = ask(project.root, "explain", str(document))
    assert code == 1
    assert "is damaged" in printed or "has changed since it was recorded" in printed


def test_report_and_comparison_name_the_records_of_every_experiment_they_show(finished):
    for name in ("reports/report.html", "results/comparison-*/comparison.json"):
        code, printed = ask(finished.root, "explain", str(finished.one(name)))
        assert code == 0
        for experiment in ("a", "b"):
            for record in finished.root.glob(f"experiments/{experiment}/results/*/run.json"):
                assert str(record) in printed


@pytest.mark.parametrize("name", ["reports/experiments/b.html", "reports/experiments/b.pdf",
                                  "experiments/b/results/report-*/report.html"])  # fmt: skip
def test_report_of_one_experiment_names_its_records(finished, name):
    code, printed = ask(finished.root, "explain", str(finished.one(name)))
    assert code == 0
    assert str(finished.one("experiments/b/results/*/run.json")) in printed
    assert "experiments/a/results" not in printed


def test_released_policy_is_the_one_of_its_run(project):
    released = project.one("experiments/b/models/v1.0.0/seed1/policy.safetensors")
    # A record that has nothing to do with it is damaged.
    other = project.root / "experiments/b/results/seed0-0123456789ab/run.json"
    other.parent.mkdir()
    other.write_text("{")
    code, printed = ask(project.root, "explain", str(released))
    assert code == 0
    trained = project.one("experiments/b/checkpoints/*/policy.safetensors")
    assert f"v1.0.0 of the model is {trained}" in printed
    assert "on dataset metaworld-4tasks 2.0.0" in printed
    content = released.read_bytes()
    released.unlink()
    released.write_bytes(content[:-1] + b"?")
    code, printed = ask(project.root, "explain", str(released))
    assert code == 1
    assert "has changed since it was recorded" in printed


def test_file_without_a_record_is_told_so(finished):
    code, printed = ask(finished.root, "explain", "experiments/a/config.yaml")
    assert code == 1
    assert "No record of a names config.yaml" in printed


def test_published_results_say_what_was_reproduced(project):
    listed = read_yaml(project.root / "config/config.yaml")
    project.write_yaml("config/config.yaml", listed | {"experiments": ["a"], "comparisons": []})
    code, printed = ask(project.root, "published", "--write", "a", "b")
    assert code == 0, "also of b, which is not listed"
    assert "There is no experiment" in ask(project.root, "published", "bb")[1]
    project.write_yaml("config/config.yaml", listed)
    again = {path: path.read_bytes() for path in project.root.glob("published/*/results/**/*.*")}
    assert ask(project.root, "published", "--write") == (code, printed)
    assert {path: path.read_bytes() for path in again} == again, "under the same keys"
    assert "published/a: commit them" in printed
    assert ask(project.root, "published") == (
        0,
        "Reproduced bit for bit: 3 of 3 published policies, 3 of 3 tables of episodes.\n",
    )
    code, printed = ask(
        project.root, "verify", *map(str, sorted(project.root.glob("*/a/results/seed1-*")))
    )
    assert code == 0 and printed.startswith("IDENTICAL")
    record = project.one("published/b/results/seed1-*/run.json")
    run = RunRecord.read(record)
    hardware = run.hardware.model_copy(update={"cpu": "another"})
    policy = replace(run.files.policy, sha256=64 * "0")
    files = run.files.model_copy(update={"policy": policy})
    run.model_copy(update={"files": files, "hardware": hardware}).write(record)
    shutil.rmtree(project.one("experiments/a/results/seed2-*"))
    _, printed = ask(project.root, "published")
    assert "1 of 3 published policies, 2 of 3 tables" in printed
    assert "not run here: a, seed 2" in printed
    assert f"CPU another → {run.hardware.cpu}" in printed
    assert f"vla verify {record.parent.relative_to(project.root)} experiments/b/" in printed
