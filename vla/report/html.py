"""The HTML report: one file, figures and rollouts inside, to open without a server."""

import base64
from pathlib import Path
from typing import Any

from vla.files.described import check_file
from vla.knowledge.conclusions import conclude
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.records.comparison import ComparisonRecord
from vla.records.film import FilmRecord
from vla.records.summary import SummaryRecord
from vla.report.overview import draw_overview
from vla.report.readme import readme_context
from vla.report.sources import read_figures
from vla.report.style import save
from vla.report.templates import template_environment

MEDIA = {".svg": "image/svg+xml", ".gif": "image/gif", ".png": "image/png"}


def render_report(plan: Plan, folder: Path, unfinished: dict[str, dict[str, Any]]) -> str:
    """The report's HTML; draws the overview figure into `folder`.

    `unfinished`: experiment -> what its README says so far (`draft_context`); of these only that is
    shown, and no comparison.
    """
    experiments, summaries = [], []
    for experiment in plan.experiments.values():
        if experiment.name in unfinished:
            continue
        summary = SummaryRecord.read(experiment.document("summary", "summary.json"))
        context = readme_context(experiment, summary)
        context["figures"] = [
            {
                "title": figure.title,
                "caption": figure.caption,
                "picture": inline(experiment.folder / figure.picture.path),
            }
            for figure in read_figures(experiment)
        ]
        context["videos"] = _videos(experiment)
        context["conclusion"] = conclude(experiment)
        experiments.append(context)
        summaries.append((experiment.config.experiment.name, summary))
    if summaries:
        save(draw_overview(summaries), folder / "overview.svg")
    comparisons = []
    for pair in plan.comparisons:
        if {pair.baseline, pair.candidate} & unfinished.keys():
            continue
        base = plan.root / "results" / pair.name
        comparison = ComparisonRecord.read(base / "comparison.json")
        figure = inline(check_file(comparison.figure, base))
        comparisons.append(dict(comparison) | {"figure": figure})
    template = template_environment(plan.root).get_template("report.html.j2")
    return template.render(
        experiments=experiments,
        comparisons=comparisons,
        overview=inline(folder / "overview.svg") if summaries else None,
        unfinished=list(unfinished.values()),
        key=plan.report.key,
    )


def inline(path: Path) -> str:
    """A data URI of a picture."""
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:{MEDIA[path.suffix]};base64,{content}"


def _videos(experiment: Experiment) -> list[dict[str, Any]]:
    """Filmed episodes of the instructed condition, each checked against its record."""
    films = [
        film
        for run in experiment.runs
        for evaluation in run.evaluations
        if evaluation.condition == "instructed"
        for film in FilmRecord.read(experiment.film_record(run, evaluation)).films
    ]
    return [
        {
            "task": film.task,
            "outcome": film.outcome,
            "picture": inline(check_file(film.file, experiment.folder)),
        }
        for film in films
    ]
