"""The experiment's README, rendered from measured files."""

from pathlib import Path
from typing import Any

from vla.files.sealed import read_sealed
from vla.monitoring.monitor import describe_event
from vla.plan.items import Experiment
from vla.report.checklist import checklist
from vla.report.templates import template_environment


def render_readme(context: dict[str, Any], root: Path) -> str:
    return template_environment(root).get_template("experiment.md.j2").render(context)


def readme_context(experiment: Experiment, summary: dict[str, Any]) -> dict[str, Any]:
    """What README and report show of one experiment: its words, numbers and records."""
    runs = [read_sealed(experiment.run_record(run)) for run in experiment.runs]
    evaluations = [
        read_sealed(experiment.evaluation_record(run, evaluation))
        for run in experiment.runs
        for evaluation in run.evaluations
    ]
    seconds = sum(run["training_seconds"] for run in runs)
    return {
        "folder": experiment.name,
        "experiment": experiment.config.experiment.model_dump(mode="json"),
        "config": experiment.config.model_dump(mode="json"),
        "summary": summary,
        "runs": runs,
        "evaluations": evaluations,
        "training_seconds": seconds,
        "gpu_hours": sum(run["gpu_hours"] for run in runs),
        "checks": read_sealed(experiment.results(experiment.runs[0].name, "check.json"))["checks"],
        "checklist": checklist(runs, evaluations),
        "events": [
            *(
                f"seed {run['seed']}: {describe_event(event)}"
                for run in runs
                for event in run["events"]
            ),
            *summary["evaluation_gap"],
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
