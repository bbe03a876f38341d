"""Each rule: its output, removed, is made again by that rule, with the same bytes."""

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


@pytest.mark.parametrize(
    ("option", "rules"),
    [
        ({}, {"train", "validate"}),
        ({"early_stopping": {"first_step": 2}}, {"train_to_rung", "halve"}),
    ],
    ids=["whole", "early stopping"],
)
def test_groups_of_jobs_on_a_cluster_wait_for_no_job_that_waits_for_them(
    fresh, tmp_path, option, rules
):
    """Snakemake refuses such groups, and plans nothing; a sweep has rules of its own."""
    project = fresh.copy(tmp_path / "project")
    swept = project.read("b") | {
        "sweep": {
            "parameters": {"training.learning_rate": [0.001, 0.01]},
            "validation": "metaworld-4tasks-validation",
            **option,
        }
    }
    project.write("b", swept)
    jobs = project.jobs("--profile", "profiles/slurm")
    assert {*rules, "sweep", "compare", "report_experiment", "report"} <= jobs.keys()
