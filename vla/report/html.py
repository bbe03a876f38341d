"""The report over all experiments: one page, its figures inside, that leads to the report of each."""

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from vla.files.described import check_file
from vla.knowledge.conclusions import conclude
from vla.plan.plan import Plan
from vla.records.comparison import ComparisonRecord
from vla.records.summary import SummaryRecord
from vla.report.inlining import inline
from vla.report.overview import draw_overview, overview_table
from vla.report.readme import readme_context
from vla.report.style import save_all
from vla.report.templates import read_tabulator, template_environment


def render_report(
    plan: Plan, folder: Path, unfinished: dict[str, dict[str, Any]], linked: Collection[str]
) -> str:
    """The report's HTML; draws the overview figure into `folder`.

    `unfinished`: experiment -> what its README says so far (`draft_context`); of these only that is
    shown, and no comparison. `linked`: experiments whose own report lies in reports/experiments/.
    """
    experiments, summaries = [], []
    for name in plan.experiments:
        if name in unfinished:
            continue
        experiment = plan.find_experiment(name)
        summary = SummaryRecord.read(experiment.document("summary", "summary.json"))
        context = readme_context(experiment, summary)
        context |= {"conclusion": conclude(experiment), "linked": experiment.name in linked}
        experiments.append(context)
        summaries.append((experiment.config.experiment.name, summary))
    if summaries:
        draw = partial(draw_overview, summaries)
        save_all(draw, overview_table(summaries), folder / "overview")
    comparisons = []
    for pair in plan.comparisons:
        if {pair.baseline, pair.candidate} & unfinished.keys():
            continue
        base = plan.root / "results" / pair.name
        comparison = ComparisonRecord.read(base / "comparison.json")
        figure = inline(check_file(comparison.figure, base))
        comparisons.append({"record": comparison, "figure": figure})
    script, style = read_tabulator(plan.root)
    template = template_environment(plan.root).get_template("report.html.j2")
    return template.render(
        experiments=experiments,
        comparisons=comparisons,
        overview=inline(folder / "overview.svg") if summaries else None,
        unfinished=list(unfinished.values()),
        key=plan.report.key,
        tabulator_script=script,
        tabulator_style=style,
    )
