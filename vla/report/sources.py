"""What documents are made from, each file checked against its record before it is read."""

import pandas as pd

from vla.files.described import check_file
from vla.files.sealed import read_sealed
from vla.plan.items import Experiment


def read_episodes(experiment: Experiment) -> pd.DataFrame:
    """Every episode of every run and condition."""
    parts = []
    for run in experiment.runs:
        for evaluation in run.evaluations:
            record = read_sealed(experiment.evaluation_record(run, evaluation))
            path = next(
                check_file(file, experiment.folder)
                for file in record["files"]
                if file["path"].endswith("episodes.parquet")
            )
            parts.append(pd.read_parquet(path))
    return pd.concat(parts, ignore_index=True)


def read_metrics(experiment: Experiment) -> dict[int, pd.DataFrame]:
    """Training seed -> metrics."""
    metrics = {}
    for run in experiment.runs:
        for file in read_sealed(experiment.run_record(run))["files"]:
            if file["path"].endswith("metrics.csv"):
                metrics[run.seed] = pd.read_csv(check_file(file, experiment.folder))
    return metrics
