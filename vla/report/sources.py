"""What documents are made from, each file checked against its record before it is read."""

from dataclasses import dataclass

import pandas as pd

from vla.files.described import check_file
from vla.plan.items import Experiment
from vla.records.figures import DrawnFigure, FiguresRecord
from vla.records.rates import Rates
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.statistics.episodes import read_episodes


@dataclass(frozen=True)
class ExperimentSource:
    """All that figures show of one experiment."""

    summary: Rates
    """As from `vla.statistics.summary.summarise`."""
    episodes: pd.DataFrame
    """One row an episode of any run and condition."""
    metrics: dict[int, pd.DataFrame]
    """Training seed -> one row a logged step."""


def read_source(experiment: Experiment) -> ExperimentSource:
    summary = SummaryRecord.read(experiment.document("summary", "summary.json"))
    return ExperimentSource(summary, read_episodes(experiment), read_metrics(experiment))


def read_figures(experiment: Experiment) -> tuple[DrawnFigure, ...]:
    """The experiment's figures, in the order of their record, each checked."""
    record = FiguresRecord.read(experiment.document("figures", "figures.json"))
    record.check_files(experiment.folder)
    return record.figures


def read_metrics(experiment: Experiment) -> dict[int, pd.DataFrame]:
    """Training seed -> metrics."""
    metrics = {}
    for run in experiment.runs:
        files = RunRecord.read(experiment.run_record(run)).files
        metrics[run.seed] = pd.read_csv(check_file(files.metrics, experiment.folder))
    return metrics
