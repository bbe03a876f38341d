"""Draw an experiment's figures."""

from pathlib import Path

import pandas as pd

from vla.files import check_file, read_json
from vla.job import job, load_plan
from vla.plan import Experiment
from vla.report.figures import learning_curve, save, success_by_task


def read_metrics_files(experiment: Experiment) -> dict[int, pd.DataFrame]:
    """Training seed -> metrics, each file checked against the run's record."""
    metrics = {}
    for run in experiment.runs:
        for file in read_json(experiment.run_record(run))["files"]:
            if file["path"].endswith("metrics.csv"):
                metrics[run.seed] = pd.read_csv(check_file(file, experiment.folder))
    return metrics


if __name__ == "__main__":
    words = snakemake.wildcards
    with job(snakemake.log[0], f"plot {words.experiment}"):
        experiment = load_plan(snakemake).find_experiment(words.experiment)
        metrics = read_metrics_files(experiment)
        save(learning_curve(metrics), Path(snakemake.output.learning_curve))
        summary = read_json(Path(snakemake.input.summary))
        save(success_by_task(summary), Path(snakemake.output.success))
