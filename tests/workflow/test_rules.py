"""Each rule: its output, removed, is made again by that rule, with the same bytes."""

from vla.files.hashing import sha256_file

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


def make_again(project, rules: dict[str, tuple[str, list[str]]]) -> None:
    """Remove the outputs of these rules and have them made again, each by its rule.

    `rules`: rule -> its output, and the files beside it whose bytes must repeat.
    """
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


def test_documents_that_are_removed_are_made_again_with_the_same_bytes(project):
    make_again(project, DOCUMENTS)


def test_groups_of_jobs_on_a_cluster_wait_for_no_job_that_waits_for_them(fresh, tmp_path):
    """Snakemake refuses such groups, and plans nothing; sweeps have rules of their own."""
    project = fresh.copy(tmp_path / "project")
    for name, option in (("a", {}), ("b", {"early_stopping": {"first_step": 2}})):
        sweep = {
            "parameters": {"training.learning_rate": [0.001, 0.01]},
            "validation": "metaworld-4tasks-validation",
        }
        project.write(name, project.read(name) | {"sweep": sweep | option})
    jobs = project.jobs("--profile", "profiles/slurm")
    assert {"train", "validate"} <= jobs.keys(), "of the sweep without early stopping"
    assert {"train_to_rung", "halve"} <= jobs.keys()
    assert {"sweep", "compare", "report_experiment", "report"} <= jobs.keys()
