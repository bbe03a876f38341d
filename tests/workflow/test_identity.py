"""What Snakemake makes anew after a change, and what it does not.

Whose keys an edit changes, of many edits: `tests/unit/test_key_table.py`.
"""

import os
import shutil

from vla.files.sealed import read_json

REPORT = {"report_experiment": 1, "report": 1}  # of one experiment, and of all
REPORTS = {"report_experiment": 2, "report": 1}
DOCUMENTS = {"release_models": 1, "render_readme": 1, **REPORT}
# Both take part in the comparison, which is made anew.
OF_ONE = DOCUMENTS | REPORTS | {"summarise": 1, "plot": 1, "compare": 1}


def test_a_second_run_does_nothing(project):
    assert "Nothing to be done" in project.snakemake()


def test_touch_comment_and_commit_change_nothing(finished, tmp_path):
    project = finished.copy(tmp_path / "project", alone=True)
    for path in project.root.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path)
    project.edit("vla/policies/protocol.py", "class Policy(", "# a thought\nclass Policy(")
    project.edit("vla/training/loop.py", '"""The training loop:', '"""What is trained:')
    project.commit()
    assert project.jobs() == {}


def test_a_hyperparameter_concerns_its_experiment_alone(project):
    before = sorted(project.root.glob("experiments/*/results/seed*/run.json"))
    project.change("b", "training", num_steps=8)
    assert project.run_jobs() == OF_ONE | {
        "check_experiment": 1,
        "train": 1,
        "evaluate": 1,
        "film": 1,
    }
    after = sorted(project.root.glob("experiments/*/results/seed*/run.json"))
    assert len(after) == len(before) + 1
    assert set(before) < set(after), "the old results are still there"
    folder = project.root / "experiments/b"
    assert sorted(p.name for p in (folder / "models").iterdir()) == ["v1.0.0", "v1.1.0"]
    card = (folder / "models/v1.1.0/MODEL_CARD.md").read_text()
    assert "training.num_steps 6 → 8" in card
    assert "Model version: 1.1.0" in (folder / "README.md").read_text()

    project.change("b", "training", num_steps=6)
    assert project.run_jobs() == {"publish": 1}, "all is there, and must only be shown"
    readme = (folder / "README.md").read_text()
    assert "Model version: 1.0.0" in readme, "it shows the configuration that is there"


def test_training_code_of_its_own_concerns_its_experiment(project):
    own = project.give_training_code("b")
    assert project.run_jobs("--until", "train") == {"check_experiment": 1, "train": 1}
    project.edit(own, "torch.manual_seed(run.seed)", "torch.manual_seed(7)")
    assert project.jobs()["train"] == 1
    (project.root / own).unlink()
    assert "train" not in project.jobs(), "the standard code's result is still there"


def test_a_change_of_the_evaluation_trains_nothing(project):
    project.change("a", "evaluation", max_steps=17)
    assert project.jobs() == OF_ONE | {"evaluate": 2, "film": 2}


def test_an_experiment_without_videos_is_complete(project):
    project.change("b", "evaluation", videos_per_task=0)
    assert project.run_jobs() == {"film": 1, "render_readme": 1, **REPORT}
    films = [read_json(path) for path in project.root.glob("experiments/b/**/film.json")]
    assert sorted(len(film["films"]) for film in films) == [0, 1]
    assert project.jobs() == {}


def test_words_render_documents(project):
    project.change("a", "experiment", description="Other words.")
    assert project.jobs() == DOCUMENTS


def test_how_a_run_is_watched_changes_nothing(project):
    project.change("a", "tracking", log_every=5)
    project.change("a", "checkpoints", save_every=2)
    project.change("a", "monitoring", loss_spike="ignore")
    project.edit("vla/tracking/mirror.py", "EVERY = 2.0", "EVERY = 3.0")
    project.edit("vla/monitoring/detectors.py", "ENOUGH = 10", "ENOUGH = 12")
    assert project.jobs() == {}


def test_outcome_and_notes_run_nothing_again(project):
    project.change("a", "experiment", outcome={"status": "dead end", "findings": ["No."]})
    (project.root / "experiments/a/notes.md").write_text("A thought.")
    assert project.jobs() == {"render_readme": 1, **REPORT}


def test_one_more_seed_trains_one_more_run(project):
    shutil.rmtree(project.root / "data/.prepared")  # a cache, which it needs again
    project.change("b", "experiment", seed=[1, 2])
    jobs = project.jobs()
    assert (jobs["prepare_dataset"], jobs["train"], jobs["evaluate"]) == (1, 1, 1)


def test_equal_runs_have_equal_keys_in_any_experiment(fresh):
    # b as a, but for its name: the same bits, hence the same keys.
    from vla.files.yaml import read_yaml
    from vla.plan.plan import Plan

    config = read_yaml(fresh.root / "config/config.yaml")
    plan = Plan(fresh.root, config)
    key = plan.experiments["a"].runs[0].key
    text = (fresh.root / "experiments/b/config.yaml").read_text()
    try:
        fresh.write("b", fresh.read("a"))
        fresh.change("b", "experiment", name="another", seed=[1])
        assert Plan(fresh.root, config).experiments["b"].runs[0].key == key
    finally:
        (fresh.root / "experiments/b/config.yaml").write_text(text)


def test_a_copied_experiment_brings_its_results_and_stands_alone(project):
    shutil.copytree(project.root / "experiments/b", project.root / "experiments/c")
    project.change("c", "experiment", name="copy")
    project.write_yaml("config/config.yaml", {"experiments": ["c"]})
    shutil.rmtree(project.root / "experiments/b")
    assert project.run_jobs() == DOCUMENTS
    assert "# copy" in (project.root / "experiments/c/README.md").read_text()
