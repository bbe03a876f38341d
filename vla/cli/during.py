"""While runs go on: how far they are, from files alone."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vla.cli.shared import Experiments, UseConda, console, find_experiments, read_plan, styled
from vla.errors import UserError
from vla.knowledge.status import (
    EvaluationState,
    RunState,
    busy_experiments,
    experiment_states,
    other_states,
)
from vla.monitoring.descriptions import describe_event
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.words import duration

BLOCKS = "▁▂▃▄▅▆▇█"
CURVE, BAR, WIDE = 20, 10, 110  # characters; narrower terminals see neither curve nor bar


def status(names: Experiments = None, use_conda: UseConda = False) -> None:
    """How far every planned run is, and every other that is at work."""
    console.print(picture(_states(*_experiments(names, use_conda))))


def watch(
    names: Experiments = None,
    use_conda: UseConda = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.")] = 2.0,
) -> None:
    """Live progress of every planned run, and of every other that is at work, until Ctrl-C.

    Reads only files: it does not matter whether they run here or on a cluster that shares the folder.
    """
    shown = _experiments(names, use_conda)
    with (
        suppress(KeyboardInterrupt),
        Live(_now(*shown), console=console, auto_refresh=False) as live,
    ):
        while True:
            time.sleep(every)
            live.update(_now(*shown), refresh=True)


def _experiments(names: list[str] | None, use_conda: bool) -> tuple[list[Experiment], Path | None]:
    """Those named; otherwise all that are listed and all that Snakemake was told to run beside, and
    the project's root, in which others may be at work.
    """
    plan = read_plan(use_conda)
    found = find_experiments(plan, names, whole=True)
    if names:
        return found, None
    for name in busy_experiments(plan.root):
        if name not in plan.config.experiments:
            with suppress(UserError):  # half edited by now: what is at work shows all the same
                found += Plan(
                    plan.root, {"experiments": [name]}, plan.deployment
                ).experiments.values()
    return found, plan.root


def _states(experiments: list[Experiment], root: Path | None) -> list[RunState]:
    states = [s for e in experiments for s in experiment_states(e)]
    return states + (other_states(root, states) if root else [])


def _now(experiments: list[Experiment], root: Path | None) -> Group:
    clock = Text(f"{time.strftime('%H:%M:%S')}  Ctrl-C ends", style="dim")
    return Group(picture(_states(experiments, root)), clock)


def picture(states: list[RunState]) -> Group:
    """A table of runs, and below it what went wrong."""
    headings = ["Experiment", "Seed", "State", "Step", "Left", "Loss", "Success"]
    wide = console.width >= WIDE
    if wide:
        headings.insert(3, "Training")
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        least = {"State": len("evaluating"), "Left": len("Left")}.get(heading)
        table.add_column(heading, no_wrap=True, overflow="ellipsis", min_width=least)
    told = []
    for state in states:
        loss = f"{state.losses[-1]:.3g}" if state.losses else ""
        table.add_row(
            state.experiment,
            f"{state.seed}  {state.label}".rstrip(),
            styled(state.state),
            *([ProgressBar(total=state.steps, completed=state.step, width=BAR)] if wide else []),
            f"{state.step}/{state.steps}",
            duration(state.seconds_left) if state.seconds_left is not None else "",
            f"{loss} {sparkline(state.losses)}" if wide else loss,
            state.stop.rpartition(", ")[2]
            or "\n".join(_evaluation(e) for e in state.evaluations if e.done),
        )
        if state.why:
            told.append(f"[yellow]{state.experiment}[/] {escape(state.describe())}")
        if state.disk:
            free, growth = state.disk
            text = f"{free:.1f} GB free, filling by {growth:.1f} GB an hour"
            told.append(f"[dim]{state.experiment} {state.name}: {text}[/]")
        told += [
            f"[yellow]{state.experiment} {state.name}:[/] {escape(describe_event(event))}"
            for event in state.events
        ]
    return Group(table, *map(Text.from_markup, told))


def _evaluation(state: EvaluationState) -> str:
    rate = f"{100 * state.successes / state.done:.0f} %"
    if state.finished:
        return f"{rate} {state.condition}"
    return f"{rate} {state.condition}, {state.done}/{state.planned or '?'}"


def sparkline(values: tuple[float, ...]) -> str:
    """A curve in one line: means of equal parts, from the lowest to the highest."""
    if len(values) < 2:
        return ""
    width = min(CURVE, len(values))
    parts = [
        values[i * len(values) // width : (i + 1) * len(values) // width] for i in range(width)
    ]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means), max(means)
    if not low < high:  # flat, or not finite
        return BLOCKS[0] * width
    return "".join(BLOCKS[round((m - low) / (high - low) * (len(BLOCKS) - 1))] for m in means)
