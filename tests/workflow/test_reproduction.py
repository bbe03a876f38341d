"""Whether one run reproduces another, where a result comes from, and running it again."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands import ask
from vla.files.yaml import read_yaml
from vla.records.run import RunRecord


def runs(project, experiment: str) -> list:
    return sorted(project.root.glob(f"experiments/{experiment}/results/seed1-*"))


@pytest.fixture(scope="module")
def changed(finished, tmp_path_factory):
    """A project in which `a` was run again with another batch size, `b` with another number of threads.

    Neither change was committed. Not to be changed.
    """
    project = finished.copy(tmp_path_factory.mktemp("changed") / "project")
    settings = {"experiments": ["a", "b"], "comparisons": [["a", "b"]]}
    project.write_yaml("config/config.yaml", settings)
    project.change("a", "experiment", seed=1)
    project.commit()
    project.change("a", "training", batch_size=8)
    project.change("b", "resources", training_threads=2)
    project.snakemake("--until", "evaluate", "--config", "allow_dirty=True")
    return project


def old_and_new(changed, finished, experiment: str) -> tuple[str, str]:
    old = {run.name for run in runs(finished, experiment)}
    return tuple(
        str(run) for run in sorted(runs(changed, experiment), key=lambda r: r.name not in old)
    )


def test_copied_results_verify_as_identical(finished, project):
    code, printed = ask(
        project.root, "verify", *(str(runs(p, "a")[0]) for p in (finished, project))
    )
    assert code == 0
    assert printed.startswith("IDENTICAL")
    assert "Differs" not in printed


@pytest.mark.xdist_group("changed")
def test_other_batch_size_is_the_one_difference_that_is_listed(changed, finished):
    code, printed = ask(changed.root, "verify", *old_and_new(changed, finished, "a"))
    assert code == 11
    assert printed.startswith("UNDECIDED")  # four episodes show nothing
    assert "Differs in configuration:\n  training.batch_size 4 → 8\n" in printed + "\n"
    assert printed.count("Differs in") == 1


@pytest.mark.xdist_group("changed")
def test_other_number_of_threads_is_listed(changed, finished):
    _, printed = ask(changed.root, "verify", *old_and_new(changed, finished, "b"))
    assert "Differs in configuration:\n  threads 1 → 2\n" in printed + "\n"
    assert printed.count("Differs in") == 1


def test_other_kind_of_model_is_listed(finished):
    code, printed = ask(finished.root, "verify", *(str(runs(finished, name)[0]) for name in "ab"))
    assert code != 0
    assert "model.type BC → RT1" in printed


def test_policy_that_changed_is_refused(project):
    run = runs(project, "a")[0]
    policy = project.one(f"experiments/a/checkpoints/{run.name}/policy.safetensors")
    content = bytearray(policy.read_bytes())
    content[-1] ^= 1
    policy.write_bytes(content)
    code, printed = ask(project.root, "explain", str(policy))
    assert code == 1
    assert "has changed since it was recorded" in printed


def test_explain_tells_the_story_of_a_result_down_to_the_data(finished):
    run = runs(finished, "a")[0]
    (episodes,) = run.glob("*/episodes.parquet")
    code, printed = ask(finished.root, "explain", str(episodes))
    assert code == 0
    assert f"of the policy of run {run.name.split('-')[1]} (seed 1)" in printed
    assert "on dataset metaworld-4tasks 2.0.0, content 4a401c4e7c62" in printed
    assert finished.git("rev-parse", "HEAD").strip() in printed


def test_explain_tells_what_a_video_shows(finished):
    run = runs(finished, "a")[0]
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


@pytest.mark.xdist_group("changed")
def test_replay_in_a_clean_folder_gives_the_same_bits(changed, finished, tmp_path):
    """Of a run with uncommitted changes, which its record keeps as a patch."""
    _, run = old_and_new(changed, finished, "a")
    assert "+  batch_size: 8" in (Path(run) / "uncommitted.patch").read_text()
    code, printed = ask(changed.root, "replay", run, str(tmp_path / "again"))
    assert code == 0, printed
    assert printed.startswith("IDENTICAL")


def test_snakemake_target_answers_as_the_command_does(finished, project):
    def ask_snakemake(one, other, ok):
        return project.snakemake("verify", "--config", f'verify=["{one}","{other}"]', ok=ok)

    same = (runs(p, "b")[0] for p in (finished, project))
    assert "IDENTICAL" in ask_snakemake(*same, ok=True)
    printed = ask_snakemake(*(runs(project, name)[0] for name in "ab"), ok=False)
    assert "UNDECIDED" in printed
    assert "model.type BC → RT1" in printed
    assert "Which two runs?" in project.snakemake("verify", ok=False)


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
