"""Results of a finished experiment, read by its layout: those that were packed, or those made again."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from vla.files.described import check_file
from vla.plan.items import Experiment
from vla.records.evaluation import EvaluationRecord
from vla.records.figures import FiguresRecord
from vla.records.film import FilmRecord
from vla.records.package import Layout, PackedEvaluation, PackedRun
from vla.records.run import RunRecord


def layout_of(experiment: Experiment) -> Layout:
    """Where a planned experiment's results lie, made or not."""
    runs = tuple(
        PackedRun(
            name=run.name,
            key=run.key,
            seed=run.seed,
            evaluations=tuple(
                PackedEvaluation(name=e.name, key=e.key, condition=e.condition, film=e.film.name)
                for e in run.evaluations
            ),
        )
        for run in experiment.runs
    )
    documents = {name: item.name for name, item in experiment.documents.items()}
    return Layout(experiment=experiment.name, runs=runs, documents=documents)


@dataclass(frozen=True)
class Results:
    """`root`: the project, or the folder in a package that is laid out as one."""

    root: Path
    layout: Layout

    @property
    def folder(self) -> Path:
        """The experiment's, which paths of its records are relative to."""
        return self.root / "experiments" / self.layout.experiment

    def path(self, *parts: str) -> Path:
        return self.folder.joinpath("results", *parts)

    def document(self, name: str, *parts: str) -> Path:
        return self.path(self.layout.documents[name], *parts)

    def name(self, path: Path) -> str:
        """A path as the package's files are listed."""
        return path.relative_to(self.root.parent).as_posix()

    @cached_property
    def runs(self) -> dict[int, RunRecord]:
        """By training seed."""
        return {
            run.seed: RunRecord.read(self.path(run.name, "run.json")) for run in self.layout.runs
        }

    @cached_property
    def evaluations(self) -> dict[tuple[int, str], EvaluationRecord]:
        """By training seed and condition."""
        return {
            (run.seed, evaluation.condition): EvaluationRecord.read(
                self.path(run.name, evaluation.name, "evaluation.json")
            )
            for run in self.layout.runs
            for evaluation in run.evaluations
        }

    def film(self, run: PackedRun, evaluation: PackedEvaluation) -> FilmRecord:
        return FilmRecord.read(self.path(run.name, evaluation.name, evaluation.film, "film.json"))

    @cached_property
    def episodes(self) -> pd.DataFrame:
        """One row an episode of any run and condition; each table is checked by its record."""
        tables = [
            pd.read_parquet(check_file(record.files.episodes, self.folder))
            for record in self.evaluations.values()
        ]
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def figures(self) -> FiguresRecord:
        return FiguresRecord.read(self.document("figures", "figures.json"))

    def select(self, condition: str | None, task: str | None, seed: int | None) -> pd.DataFrame:
        """Episodes of a condition, task and seed; None takes all."""
        rows = self.episodes
        for name, value in (("condition", condition), ("task", task), ("training_seed", seed)):
            if value is not None:
                rows = rows[rows[name] == value]
        return rows.reset_index(drop=True)
