"""One experiment as a public page shows it: its report without what belongs to a machine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from vla.plan.items import Comparison, Experiment
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.report.content import Content, read_content
from vla.site.lineage import Link, trace
from vla.site.privacy import Privacy

# Texts that people write, and those that a job wrote about its machine.
TEXTS = ("about", "conclusion", "comparisons", "events", "checklist", "compute", "footprint")


@dataclass(frozen=True)
class Entry:
    """`parent`: the experiment that it started from, "" where that is not shown; `children`: those that
    started from it; `public`: takes the machine out of a value."""

    experiment: Experiment
    content: Content
    lineage: tuple[Link, ...]
    parent: str
    children: tuple[str, ...]
    public: Callable[[Any], Any]


def read_entry(
    experiment: Experiment,
    comparisons: list[Comparison],
    parents: dict[str, str],
    privacy: Privacy,
) -> Entry:
    """`comparisons`: those of the whole page that the workflow recorded; `parents`: by name, of all."""
    own = tuple(c for c in comparisons if experiment.name in (c.baseline, c.candidate))
    key = experiment.documents["summary"].key
    content = read_content(experiment, own, key, partial=True)
    public = {name: privacy.clean(getattr(content, name)) for name in TEXTS}
    content = replace(content, checks=(), **public)
    name, parent = experiment.name, parents[experiment.name]
    children = tuple(child for child, of in parents.items() if of == name != child)
    return Entry(
        experiment,
        content,
        trace(experiment, content),
        parent if parent in parents.keys() - {name} else "",
        children,
        privacy.clean,
    )


def machines(experiment: Experiment) -> set[str]:
    """Host names of the machines that worked for an experiment."""
    jobs: list[RunRecord | EvaluationRecord] = []
    for run in experiment.runs:
        jobs.append(RunRecord.read(experiment.run_record(run)))
        jobs += [
            EvaluationRecord.read(experiment.evaluation_record(run, evaluation))
            for evaluation in run.evaluations
        ]
    return {job.hardware.hostname for job in jobs}
