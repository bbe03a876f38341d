"""Mistakes, through Snakemake: one clear message, an exit code, no traceback, no work begun.

Every message that a plan or a check can give stands in `tests/unit/test_mistakes.py`.
"""

import shutil

import pytest


def change(section, **values):
    return lambda project: project.change("a", section, **values)


MISTAKES = {
    "unknown key": (
        change("training", learning_rat=3e-4),
        ["training.learning_rat", "did you mean 'learning_rate'?", "experiments/a/config.yaml"],
    ),
    "dataset that is not here": (
        lambda project: project.edit(
            "config/datasets.yaml", "path: data/metaworld-4tasks", "path: data/elsewhere"
        ),
        ["not pinned here", "data/elsewhere.manifest.json"],
    ),
    "unknown key of the workflow": (
        lambda project: project.write_yaml("config/config.yaml", {"experiment": ["a"]}),
        ["experiment: unknown key; did you mean 'experiments'?"],
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


def test_an_experiment_that_is_not_ready_does_not_train(project):
    project.change("b", "experiment", seed=[3], hypothesis="")
    project.change("b", "resources", accelerator="cuda")
    project.edit("config/config.yaml", "allow_dirty: true", "allow_dirty: false")
    printed = project.snakemake(ok=False)
    assert "b is not ready to run" in printed
    for words in (
        *("hypothesis: empty", "Write experiment.hypothesis in", "what you expect, and why"),
        *("uncommitted: config/config.yaml", "allow_dirty: true in config/config.yaml"),
        *("sees no GPU here", "accelerator: cpu"),
    ):
        assert words in printed
    assert "Traceback" not in printed
    assert not list(project.root.glob("experiments/b/checkpoints/seed3-*"))


def test_dataset_that_nobody_has_stops_before_training(fresh, tmp_path):
    project = fresh.copy(tmp_path / "project")
    for folder in ("data/metaworld-4tasks", "data/dvc-remote"):
        shutil.rmtree(project.root / folder, ignore_errors=True)
    printed = project.snakemake("--config", 'experiments=["b"]', "comparisons=[]", ok=False)
    assert "No DVC remote or cache has the rest: see data/README.md" in printed
    assert "dvc pull did not bring" in printed
    assert not list(project.root.glob("experiments/*/checkpoints/*"))


def test_a_damaged_policy_is_not_evaluated(project):
    record = project.one("experiments/b/results/seed1-*/instructed-*/evaluation.json")
    record.unlink()
    policy = project.one("experiments/b/checkpoints/*/policy.safetensors")
    content = bytearray(policy.read_bytes())
    content[-1] ^= 1
    policy.write_bytes(content)
    printed = project.snakemake(str(record.relative_to(project.root)), ok=False)
    assert f"{policy.name} has changed since it was recorded" in printed
