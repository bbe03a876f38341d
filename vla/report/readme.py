"""The experiment's README, rendered from measured files."""

from pathlib import Path
from typing import Any

from vla.monitoring.descriptions import describe_event
from vla.plan.items import Experiment
from vla.records.check import CheckRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.report.checklist import checklist
from vla.report.choice import SHOWN, read_choice
from vla.report.origin import origin
from vla.report.templates import template_environment


def render_readme(context: dict[str, Any], root: Path) -> str:
    return template_environment(root).get_template("experiment.md.j2").render(context)


def readme_context(experiment: Experiment, summary: SummaryRecord) -> dict[str, Any]:
    """What README and report show of one experiment: its words, numbers and records."""
    runs = [RunRecord.read(experiment.run_record(run)) for run in experiment.runs]
    evaluations = [
        EvaluationRecord.read(experiment.evaluation_record(run, evaluation))
        for run in experiment.runs
        for evaluation in run.evaluations
    ]
    seconds = sum(run.training_seconds for run in runs)
    check = CheckRecord.read(experiment.results(experiment.runs[0].name, "check.json"))
    return {
        "folder": experiment.name,
        "experiment": experiment.config.experiment.model_dump(mode="json"),
        "config": experiment.config.model_dump(mode="json"),
        "summary": summary,
        "origin": origin(experiment, runs[0]),
        "choice": read_choice(experiment),
        "shown_combinations": SHOWN,
        "runs": runs,
        "evaluations": evaluations,
        "training_seconds": seconds,
        "gpu_hours": sum(run.gpu_hours or 0 for run in runs),
        "checks": check.checks,
        "checklist": checklist(runs, evaluations),
        "events": [
            *(f"seed {run.seed}: {describe_event(event)}" for run in runs for event in run.events),
            *summary.evaluation_gap,
        ],
    }


def draft_context(experiment: Experiment, state: list[str], events: list[str]) -> dict[str, Any]:
    """What a README shows before there are results: `state` says how far the runs are."""
    return {
        "folder": experiment.name,
        "experiment": experiment.config.experiment.model_dump(mode="json"),
        "summary": None,
        "state": state,
        "events": events,
    }
