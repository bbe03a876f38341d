"""What the report of one experiment says, ready to be laid out: the same for the screen and for print.

Every number comes with the number of its source, the file that it was read or computed from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla.files.described import check_file
from vla.knowledge.conclusions import Conclusion, conclude
from vla.plan.items import Comparison, Experiment
from vla.records.comparison import ComparisonRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.rates import Rate
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.report.choice import TITLE, Choice, read_choice
from vla.report.compute import Compute, measure_compute
from vla.report.footprint import Footprint, estimate
from vla.report.origin import shown_figures
from vla.report.provenance import Source, Sources
from vla.report.readme import readme_context
from vla.report.rollouts import Rollout, read_rollouts
from vla.report.sources import read_figures, read_metrics
from vla.words import CONDITIONS


@dataclass(frozen=True)
class RateRow:
    """A success rate. `task` and `seed` are "" where it is of all of them."""

    condition: str
    rate: Rate
    source: int
    task: str = ""
    seed: str = ""


@dataclass(frozen=True)
class ShownFigure:
    """A figure with its files: SVG for the screen, PDF for print, the numbers as CSV."""

    title: str
    caption: str
    picture: Path
    print: Path | None
    source: int


@dataclass(frozen=True)
class ShownComparison:
    """A paired comparison with another experiment."""

    record: ComparisonRecord
    figure: ShownFigure


@dataclass(frozen=True)
class RunRow:
    """A trained policy. `source`: its record; `policy_source`: its weights."""

    record: RunRecord
    name: str
    source: int
    policy_source: int


@dataclass(frozen=True)
class Content:
    """The report of one experiment.

    `about`: its `experiment` section; `origin`: of a policy that was not trained here; `checks`, `checklist`, `events`:
    as in its README; `ended`: when the last of its jobs had ended (ISO 8601, UTC); `source`: of the summary;
    `choice`: of a sweep, whose chosen combination is what all else is about.
    """

    folder: str
    key: str
    about: dict[str, Any]
    origin: str | None
    conclusion: Conclusion
    summary: SummaryRecord
    source: int
    choice: Choice | None
    conditions: tuple[RateRow, ...]
    tasks: tuple[RateRow, ...]
    seeds: tuple[RateRow, ...]
    figures: tuple[ShownFigure, ...]
    comparisons: tuple[ShownComparison, ...]
    rollouts: tuple[Rollout, ...]
    events: tuple[str, ...]
    compute: tuple[Compute, ...]
    footprint: Footprint | None
    runs: tuple[RunRow, ...]
    checks: tuple[Any, ...]
    checklist: tuple[tuple[bool, str, str], ...]
    sources: tuple[Source, ...]
    ended: str

    @property
    def title(self) -> str:
        return self.about["title"] or self.about["name"]

    @property
    def commits(self) -> tuple[str, ...]:
        """Commits that its policies were trained at."""
        commits = (run.record.git.commit or "not in git" for run in self.runs)
        return tuple(dict.fromkeys(commits))


def read_content(
    experiment: Experiment, pairs: tuple[Comparison, ...], key: str, partial: bool = False
) -> Content:
    """Read the finished results of an experiment, each file checked against its record.

    `pairs`: the comparisons that it takes part in; `key`: the report's; `partial`: figures and films
    that are not there as they are configured now are left out.
    """
    sources = Sources(experiment.root)
    path = experiment.document("summary", "summary.json")
    summary = SummaryRecord.read(path)
    source = sources.cite(path, "rates of all episodes").number
    shown = readme_context(experiment, summary)
    jobs: list[RunRecord | EvaluationRecord] = [*shown["runs"], *shown["evaluations"]]
    runs = _runs(experiment, sources)
    compute = _compute(experiment, shown["runs"], shown["evaluations"])
    return Content(
        folder=experiment.name,
        key=key,
        about=shown["experiment"],
        origin=shown["origin"],
        conclusion=conclude(experiment),
        summary=summary,
        source=source,
        choice=shown["choice"],
        conditions=tuple(
            RateRow(CONDITIONS[name], rates.overall, source)
            for name, rates in summary.conditions.items()
        ),
        tasks=tuple(
            RateRow(CONDITIONS[name], rate, source, task=task)
            for name, rates in summary.conditions.items()
            for task, rate in rates.by_task.items()
        ),
        seeds=_seeds(experiment, summary, sources),
        figures=_figures(experiment, sources) if not partial or _drawn(experiment) else (),
        comparisons=tuple(_comparison(experiment.root, pair, sources) for pair in pairs),
        rollouts=tuple(read_rollouts(experiment, sources, partial)),
        events=tuple(shown["events"]),
        compute=compute,
        footprint=estimate(compute, experiment.config.footprint),
        runs=runs,
        checks=tuple(shown["checks"]),
        checklist=tuple(shown["checklist"]),
        sources=sources.all(),
        ended=max(job.finished for job in jobs),
    )


def _runs(experiment: Experiment, sources: Sources) -> tuple[RunRow, ...]:
    rows = []
    for run in experiment.runs:
        path = experiment.run_record(run)
        record = RunRecord.read(path)
        source = sources.cite(path, "record of the training run", run.name)
        sources.cite_file(record.files.metrics, experiment.folder, "metrics of training", run.name)
        policy = sources.cite_file(record.files.policy, experiment.folder, "policy", run.name)
        rows.append(RunRow(record, run.name, source.number, policy.number))
    return tuple(rows)


def _seeds(experiment: Experiment, summary: SummaryRecord, sources: Sources) -> tuple[RateRow, ...]:
    """One row a training seed and condition; its source is the table of its episodes."""
    rows = []
    for run in experiment.runs:
        for evaluation in run.evaluations:
            path = experiment.evaluation_record(run, evaluation)
            words = CONDITIONS[evaluation.condition]
            sources.cite(path, f"record of the evaluation, {words}", run.name)
            episodes = EvaluationRecord.read(path).files.episodes
            cited = sources.cite_file(episodes, experiment.folder, f"episodes, {words}", run.name)
            rate = summary.conditions[evaluation.condition].by_seed[str(run.seed)]
            rows.append(RateRow(words, rate, cited.number, seed=str(run.seed)))
    return tuple(rows)


def _drawn(experiment: Experiment) -> bool:
    return experiment.document("figures", "figures.json").is_file()


def _figures(experiment: Experiment, sources: Sources) -> tuple[ShownFigure, ...]:
    shown = _choice_figure(experiment, sources)
    for figure in shown_figures(experiment, read_figures(experiment)):
        numbers = figure.data or figure.picture
        source = sources.cite_file(numbers, experiment.folder, f"figure {figure.title}")
        shown.append(
            ShownFigure(
                figure.title,
                figure.caption,
                experiment.folder / figure.picture.path,
                experiment.folder / figure.print.path if figure.print else None,
                source.number,
            )
        )
    return tuple(shown)


def _choice_figure(experiment: Experiment, sources: Sources) -> list[ShownFigure]:
    """That of a sweep, whose source is the table of all its runs."""
    choice = read_choice(experiment)
    if choice is None:
        return []
    record, folder = choice.record, experiment.folder
    source = sources.cite_file(record.table, folder, "table of the sweep's runs")
    picture, printed = (folder / file.path for file in (record.picture, record.print))
    return [ShownFigure(TITLE, choice.caption, picture, printed, source.number)]


def _comparison(root: Path, pair: Comparison, sources: Sources) -> ShownComparison:
    folder = root / "results" / pair.name
    path = folder / "comparison.json"
    record = ComparisonRecord.read(path)
    source = sources.cite(path, f"comparison of {' and '.join(record.names)}")
    figure = ShownFigure(
        f"{record.names[1]} against {record.names[0]}",
        "Success rate overall, with 95 % Wilson intervals, and by task, of both experiments under each condition.",
        check_file(record.figure, folder),
        check_file(record.print, folder) if record.print else None,
        source.number,
    )
    return ShownComparison(record, figure)


def _compute(
    experiment: Experiment, runs: list[RunRecord], evaluations: list[EvaluationRecord]
) -> tuple[Compute, ...]:
    metrics = read_metrics(experiment)
    return tuple(
        measure_compute(run, [e for e in evaluations if e.run == run.key], metrics[run.seed])
        for run in runs
    )
