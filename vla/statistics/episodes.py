"""An experiment's episodes, each table checked against its record before it is read."""

import pandas as pd

from vla.files.described import check_file
from vla.plan.items import Experiment
from vla.records.evaluation import EvaluationRecord


def read_episodes(experiment: Experiment) -> pd.DataFrame:
    """Every episode of every run and condition."""
    parts = []
    for run in experiment.runs:
        for evaluation in run.evaluations:
            record = EvaluationRecord.read(experiment.evaluation_record(run, evaluation))
            parts.append(pd.read_parquet(check_file(record.files.episodes, experiment.folder)))
    return pd.concat(parts, ignore_index=True)
