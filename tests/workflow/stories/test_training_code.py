"""Code that is of one's own, not committed, or changed while the workflow runs."""

import json

from vla.records.run import RunRecord

ONLY_B = ("--config", 'experiments=["b"]', "comparisons=[]")


def test_training_code_of_its_own_concerns_its_experiment(project):
    own = project.give_training_code("b")
    assert project.run_jobs("--until", "train") == {"check_experiment": 1, "train": 1}
    project.edit(own, "torch.manual_seed(run.seed)", "torch.manual_seed(7)")
    assert project.jobs()["train"] == 1
    (project.root / own).unlink()
    assert "train" not in project.jobs(), "the standard code's result is still there"


def test_code_that_changes_while_the_workflow_runs_is_not_run(project):
    # The first training job edits the code that the queued ones would run.
    project.edit(
        project.give_training_code("a"),
        "    model, training =",
        "    with open('vla/policies/parts/fused.py', 'a') as stream:\n"
        "        stream.write('CHANGED = 1\\n')\n"
        "    model, training =",
    )
    only_a = ("--config", 'experiments=["a"]', "comparisons=[]")
    printed = project.snakemake("--cores", "1", *only_a, ok=False)
    assert "was changed while the workflow ran" in printed


def test_evaluation_code_that_is_not_committed_is_refused_after_training(project):
    """The check was passed before training; what changed since is met by the job itself."""
    project.edit("config/config.yaml", "allow_dirty: true", "allow_dirty: false")
    project.commit()
    project.edit("vla/evaluation/rollout.py", "steps: int = 0", "steps: int = 1 - 1")
    printed = project.snakemake(*ONLY_B, ok=False)
    assert "vla/evaluation/rollout.py: uncommitted, though the result depends on it" in printed
    assert not list(project.root.glob("experiments/b/results/*/*/.*.part*"))
    project.commit()
    project.snakemake(*ONLY_B, "--until", "evaluate")
    records = list(project.root.glob("experiments/b/results/*/*/evaluation.json"))
    newest = json.loads(max(records, key=lambda path: path.stat().st_mtime).read_text())
    assert newest["git"] == {"commit": project.git("rev-parse", "HEAD").strip(), "dirty": []}


def test_record_tells_of_the_code_that_the_job_began_with(project):
    """A commit made while it trains has no part in what it makes."""
    project.change("b", "experiment", seed=[2])
    project.edit(
        project.give_training_code("b"),
        "    model, training =",
        "    import subprocess\n"
        "    subprocess.run(['git', 'commit', '-q', '--allow-empty', '-m', 'later'], check=True)\n"
        "    model, training =",
    )
    for name, value in (("name", "t"), ("email", "t@example.org")):
        project.git("config", f"user.{name}", value)
    project.commit()
    before = project.git("rev-parse", "HEAD").strip()
    project.snakemake(*ONLY_B, "--until", "train")
    assert project.git("rev-parse", "HEAD").strip() != before
    record = RunRecord.read(project.one("experiments/b/results/seed2-*/run.json"))
    assert record.git.commit == before
