"""Every mistake a user can make: one clear message, an exit code, no traceback."""

import pytest

pytestmark = pytest.mark.xdist_group("chain")


def change(section, **values):
    return lambda project: project.change("a", section, **values)


MISTAKES = {
    "unknown key": (
        change("training", learning_rat=3e-4),
        ["training.learning_rat", "did you mean 'learning_rate'?", "experiments/a/config.yaml"],
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
    "dataset that is not here": (
        change("data", dataset="CALVIN"),
        ["not pinned here", "data/calvin-task_D_D.manifest.json"],
    ),
    "experiment without configuration": (
        lambda project: (project.root / "experiments/a/config.yaml").unlink(),
        ["experiments/a/config.yaml is missing"],
    ),
    "broken YAML": (
        lambda project: (project.root / "experiments/a/config.yaml").write_text("a: [1"),
        ["experiments/a/config.yaml is not valid YAML"],
    ),
    "unknown key of the workflow": (
        lambda project: project.write_yaml("config/config.yaml", {"experiment": ["a"]}),
        ["experiment: unknown key; did you mean 'experiments'?"],
    ),
    "no training code": (
        lambda project: (project.root / "experiments/a/train.py").unlink(),
        ["experiments/a/train.py is missing"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named_before_any_work(fresh, tmp_path, name):
    project = fresh.copy(tmp_path / "project")
    mistake, expected = MISTAKES[name]
    mistake(project)
    printed = project.snakemake("-n", ok=False)
    for words in expected:
        assert words in printed
    assert "->" in printed, "the way out"
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("hypothesis", {"hypothesis": ""}, "experiment.hypothesis is empty"),
        ("plan", {"plan": []}, "experiment.plan is empty"),
    ],
)
def test_an_experiment_without_a_plan_does_not_train(project, name, values, expected):
    project.change("b", "experiment", **values, seed=[3])
    printed = project.snakemake(ok=False)
    assert expected in printed
    assert "Traceback" not in printed
    assert not list(project.root.glob("experiments/b/checkpoints/seed3-*"))


def test_too_little_space_and_no_gpu_are_named_with_figures(project):
    project.change("b", "resources", disk_gb=1e6, accelerator="cuda")
    printed = project.snakemake(ok=False)
    assert "GB free, 1000000.0 GB asked for" in printed
    assert "sees no GPU here" in printed


def test_a_damaged_policy_is_not_evaluated(project):
    record = project.one("experiments/b/results/seed1-*/instructed-*/evaluation.json")
    record.unlink()
    policy = project.one("experiments/b/checkpoints/*/policy.safetensors")
    content = bytearray(policy.read_bytes())
    content[-1] ^= 1
    policy.write_bytes(content)
    printed = project.snakemake(str(record.relative_to(project.root)), ok=False)
    assert f"{policy.name} has changed since it was recorded" in printed


def test_code_that_changes_while_the_workflow_runs_is_not_run(project):
    # The first training job edits the code that the queued ones would run.
    project.edit(
        "experiments/a/train.py",
        "    model, training =",
        "    with open('vla/models/heads.py', 'a') as stream:\n"
        "        stream.write('CHANGED = 1\\n')\n"
        "    model, training =",
    )
    printed = project.snakemake("--cores", "1", ok=False)
    assert "was changed while the workflow ran" in printed
