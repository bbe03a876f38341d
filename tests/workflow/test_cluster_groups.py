"""Rules that go to a cluster as one job."""


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
