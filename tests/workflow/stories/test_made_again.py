"""What is changed and changed back, removed or interrupted, comes out with the same bits."""

import pytest

from vla.files.hashing import sha256_file
from vla.records.manifest import Manifest
from vla.records.run import RunRecord

# Rule -> its output, and the files beside it whose bytes must repeat.
RESULTS = {
    "check_experiment": ("experiments/b/results/seed1-*/check.json", []),
    "prepare_dataset": ("data/.prepared/*/prepared.json", ["data/.prepared/*/*.npy"]),
    "train": (
        "experiments/b/results/seed1-*/run.json",
        ["experiments/b/checkpoints/*/policy.safetensors"],
    ),
    "evaluate": (
        "experiments/b/results/seed1-*/instructed-*/evaluation.json",
        ["experiments/b/results/seed1-*/instructed-*/episodes.parquet"],
    ),
    "film": (
        "experiments/b/results/seed1-*/instructed-*/film-*/film.json",
        ["experiments/b/results/seed1-*/instructed-*/film-*/*.gif"],
    ),
}
DOCUMENTS = {  # which also show when and how long: of records that stay
    "summarise": (
        "experiments/b/results/summary-*/success_rates.csv",
        ["experiments/b/results/summary-*/*.csv"],
    ),
    "plot": (
        "experiments/b/results/figures-*/success_by_task.svg",
        ["experiments/b/results/figures-*/*.*"],
    ),
    "compare": ("results/comparison-*/comparison.json", ["results/comparison-*/comparison.*"]),
    "render_readme": (
        "experiments/b/results/readme-*/README.md",
        ["experiments/b/results/readme-*/README.md"],
    ),
    "report_experiment": (
        "experiments/b/results/report-*/report.html",
        ["experiments/b/results/report-*/report.*"],
    ),
    "report": ("reports/report-*/report.html", ["reports/report-*/report.html"]),
}


def test_a_hyperparameter_concerns_its_experiment_alone(project):
    before = sorted(project.root.glob("experiments/*/results/seed*/run.json"))
    project.change("b", "training", num_steps=8)
    of_one = ("check_experiment", "train", "evaluate", "film", "summarise", "plot", "render_readme")
    of_both = {"report_experiment": 2, "compare": 1, "report": 1}
    assert project.run_jobs() == dict.fromkeys((*of_one, "release_models"), 1) | of_both
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


def test_training_goes_on_from_its_checkpoint_to_the_same_bits(project):
    record = project.one("experiments/b/results/seed1-*/run.json")
    policy = project.one("experiments/b/checkpoints/*/policy.safetensors")
    before = sha256_file(policy)
    assert list(policy.parent.glob("step_00000003.safetensors"))
    record.unlink()
    policy.unlink()
    project.snakemake(str(record.relative_to(project.root)))
    assert RunRecord.read(record).resumed_from_step == 3
    assert sha256_file(policy) == before


def test_demonstrations_are_collected_anew(project):
    config = {
        "tasks": {"button-press-topdown-v3": {"instructions": ["press it"]}},
        "episodes_per_task": 2,
    }
    project.write_yaml("config/demonstrations.yaml", config)
    project.snakemake("collect_demonstrations")
    manifest = project.one("data/collected/*.manifest.json")
    before = Manifest.read(manifest)
    names = {file.path for file in before.files}
    assert {"README.md", "meta/info.json", "data/chunk-000/file-000.parquet"} <= names
    manifest.unlink()
    project.snakemake("collect_demonstrations")
    assert Manifest.read(manifest) == before, "the same seeds give the same files"


@pytest.mark.parametrize("rules", [RESULTS, DOCUMENTS], ids=["results", "documents"])
def test_what_is_removed_is_made_again_with_the_same_bytes(project, rules):
    outputs = [project.one(output) for output, _ in rules.values()]
    before = {}
    for rule, (_, patterns) in rules.items():
        files = [path for pattern in patterns for path in project.root.glob(pattern)]
        assert files or not patterns, rule
        before |= {path: sha256_file(path) for path in files}
    for path in {*outputs, *before}:
        path.unlink()
    targets = [str(path.relative_to(project.root)) for path in outputs]
    assert project.run_jobs(*targets) == dict.fromkeys(rules, 1)
    assert {path: sha256_file(path) for path in before} == before
