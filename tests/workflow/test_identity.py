"""What Snakemake makes anew after a change, and what it does not.

Whose keys an edit changes, of many edits: `tests/unit/test_key_table.py`.
"""

import os
import shutil

REPORTS = {"report_experiment": 2, "report": 1}  # of both experiments, and of all
DOCUMENTS = {"release_models": 1, "render_readme": 1, "report_experiment": 1, "report": 1}
# Both take part in the comparison, which is made anew.
OF_ONE = DOCUMENTS | REPORTS | {"summarise": 1, "plot": 1, "compare": 1}


def test_a_second_run_does_nothing(project):
    assert "Nothing to be done" in project.snakemake()


def test_a_touch_a_comment_a_commit_and_how_a_run_is_watched_change_nothing(finished, tmp_path):
    project = finished.copy(tmp_path / "project", alone=True)
    for path in project.root.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path)
    project.edit("vla/policies/protocol.py", "class Policy(", "# a thought\nclass Policy(")
    project.edit("vla/training/loop.py", '"""The training loop:', '"""What is trained:')
    project.change("a", "tracking", log_every=5)
    project.change("a", "checkpoints", save_every=2)
    project.change("a", "monitoring", loss_spike="ignore")
    project.edit("vla/tracking/mirror.py", "EVERY = 2.0", "EVERY = 3.0")
    project.edit("vla/monitoring/detectors.py", "ENOUGH = 10", "ENOUGH = 12")
    project.commit()
    assert project.jobs() == {}


def test_a_change_of_the_evaluation_trains_nothing(project):
    project.change("a", "evaluation", max_steps=17)
    assert project.jobs() == OF_ONE | {"evaluate": 2, "film": 2}


def test_words_render_documents_and_what_was_concluded_all_but_the_model_card(project):
    project.change("a", "experiment", description="Other words.")
    project.change("b", "experiment", outcome={"status": "dead end", "findings": ["No."]})
    (project.root / "experiments/b/notes.md").write_text("A thought.")
    assert project.jobs() == {"release_models": 1, "render_readme": 2} | REPORTS


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
