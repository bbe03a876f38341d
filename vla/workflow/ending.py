"""What is shown when a workflow has ended, well or not."""

import tempfile
from pathlib import Path
from typing import Any

from vla.files.atomic import write_text
from vla.knowledge.status import experiment_states
from vla.monitoring.monitor import describe_event
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.report.documents import build_documents
from vla.report.html import render_report
from vla.report.readme import draft_context, render_readme
from vla.workflow.views import publish_views, rendered_readme


def publish_ending(plan: Plan) -> None:
    """When a workflow has ended, well or not: what there is, and of the rest how far it came.

    READMEs and report of what is not finished say so, with anomalies; the experiment database is
    built anew.
    """
    publish_views(plan)
    drafts = {
        e.name: write_draft(e)
        for e in plan.experiments.values()
        if not rendered_readme(e).is_file()
    }
    if not (plan.root / "reports" / plan.report.name / "report.html").is_file():
        with tempfile.TemporaryDirectory() as folder:
            text = render_report(plan, Path(folder), drafts)
        write_text(plan.root / "reports/report.html", text)
    build_documents(plan.root)


def write_draft(experiment: Experiment) -> dict[str, Any]:
    """The README of an experiment that is not finished; returns what it shows."""
    states = experiment_states(experiment)
    events = [
        f"seed {state.seed}: {describe_event(event)}{_good(event)}"
        for state in states
        for event in state.events
    ]
    context = draft_context(experiment, [state.describe() for state in states], events)
    write_text(experiment.folder / "README.md", render_readme(context, experiment.root))
    return context


def _good(event: dict[str, Any]) -> str:
    if "stop" not in event["action"]:
        return ""
    step = event["checkpoint"]
    return f" (stopped; last good checkpoint: {'none' if step is None else f'step {step}'})"
