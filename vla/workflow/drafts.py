"""The README of an experiment that is not finished: how far it came, and what went wrong."""

from collections import Counter
from typing import Any

from vla.files.atomic import write_text
from vla.knowledge.conclusions import unjudged, weigh
from vla.knowledge.status import RunState, experiment_states
from vla.monitoring.descriptions import describe_event
from vla.plan.items import Experiment
from vla.records.events import Event
from vla.report.readme import draft_context, render_readme
from vla.source.snapshot import project_of

MANY = 20  # lines


def write_draft(experiment: Experiment) -> dict[str, Any]:
    """Write it into the experiment's folder; returns what it shows.

    While no run of the experiment has begun, a README that is there stays: it may show results that came
    with the repository.
    """
    states = experiment_states(experiment)
    events = [
        f"{state.name}: {describe_event(event)}{_good(event)}"
        for state in states
        for event in state.events
    ]
    context = draft_context(experiment, _lines(states), events)
    outcome = experiment.config.experiment.outcome
    context["conclusion"] = weigh(outcome, None, unjudged(outcome))
    readme = project_of(experiment.root) / "experiments" / experiment.name / "README.md"
    if not readme.is_file() or any(state.state != "waiting" for state in states):
        write_text(readme, render_readme(context, experiment.root))
    return context


def _lines(states: list[RunState]) -> list[str]:
    """One a run; of many runs, how many are how far, and those that ended badly."""
    if len(states) <= MANY:
        return [state.describe() for state in states]
    counts = Counter(state.state for state in states)
    far = ", ".join(f"{count} {state}" for state, count in counts.items())
    return [f"{len(states)} runs: {far}", *(s.describe() for s in states if s.why)][:MANY]


def _good(event: Event) -> str:
    if "stop" not in event.action:
        return ""
    step = event.checkpoint
    return f" (stopped; last good checkpoint: {'none' if step is None else f'step {step}'})"
