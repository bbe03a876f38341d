"""What documents are made from, each file checked against its record before it is read."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from vla.files.described import check_file
from vla.files.sealed import read_sealed
from vla.plan.items import Experiment


@dataclass(frozen=True)
class ExperimentSource:
    """All that figures show of one experiment."""

    summary: dict[str, Any]
    """As from `vla.statistics.summary.summarise`."""
    episodes: pd.DataFrame
    """One row an episode of any run and condition."""
    metrics: dict[int, pd.DataFrame]
    """Training seed -> one row a logged step."""


@dataclass(frozen=True)
class DrawnFigure:
    """A figure and the numbers it shows: files named relative to the experiment's folder."""

    title: str
    caption: str
    picture: str
    data: str


def read_source(experiment: Experiment) -> ExperimentSource:
    summary = read_sealed(experiment.document("summary", "summary.json"))
    return ExperimentSource(summary, read_episodes(experiment), read_metrics(experiment))


def read_figures(experiment: Experiment) -> list[DrawnFigure]:
    """The experiment's figures, in the order of their record, each checked."""
    record = read_sealed(experiment.document("figures", "figures.json"))
    figures = []
    for figure in record["figures"]:
        for file in (figure["picture"], figure["data"]):
            check_file(file, experiment.folder)
        paths = (figure["picture"]["path"], figure["data"]["path"])
        figures.append(DrawnFigure(figure["title"], figure["caption"], *paths))
    return figures


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
