"""How every figure looks. The same numbers give the same file, byte for byte."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vla.files.atomic import write_atomic, write_text
from vla.records.rates import Rate
from vla.statistics.rates import percent
from vla.words import short_task

plt.rcParams.update(
    {
        "svg.hashsalt": "vla",  # ids in the SVG
        "svg.fonttype": "path",
        "pdf.fonttype": 42,  # TrueType: letters stay text, and journals take it
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.alpha": 0.25,
        "figure.constrained_layout.use": True,
    }
)
MANY_TASKS = 12  # beyond which their names stand upright
WIDTH = 10.0  # inches; scaled to a page of 1100 pixels, letters are as large as its text
# On paper a figure is 6.5 inches wide: its letters are then 8 points high.
PRINT = {"font.size": 12.5}
# Okabe & Ito's palette: told apart with every kind of colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")


def save(figure: Figure, path: Path) -> None:
    """As SVG or PDF, by the name's ending, without the time."""
    metadata = {"Date" if path.suffix == ".svg" else "CreationDate": None}
    write_atomic(
        path,
        lambda temporary: figure.savefig(temporary, format=path.suffix[1:], metadata=metadata),
    )
    plt.close(figure)


def save_all(draw: Callable[[], Figure], numbers: pd.DataFrame, path: Path) -> None:
    """PATH.svg for the screen, PATH.pdf with larger letters for print, PATH.csv with the numbers."""
    save(draw(), path.with_suffix(".svg"))
    with plt.rc_context(PRINT):
        save(draw(), path.with_suffix(".pdf"))
    write_text(path.with_suffix(".csv"), numbers.to_csv(index=False))


def colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def draw_rates(
    axes: Axes, positions: list[float], rates: list[Rate], width: float, **style: Any
) -> None:
    """Bars of success rates in percent with their intervals; `style` as for `Axes.bar`."""
    heights = [100 * rate.rate for rate in rates]
    below = [100 * (rate.rate - rate.low) for rate in rates]
    above = [100 * (rate.high - rate.rate) for rate in rates]
    axes.bar(positions, heights, width * 0.9, **style)
    axes.errorbar(
        positions, heights, [below, above], fmt="none", ecolor="0.15", capsize=3, linewidth=1
    )


def draw_target(axes: Axes, target: float | None) -> None:
    """A dashed line at the target, named beside it."""
    if target is None:
        return
    axes.axhline(100 * target, color="0.3", linestyle="--", linewidth=1)
    axes.text(
        1.01,
        100 * target,
        f"target {percent(target)}",
        transform=axes.get_yaxis_transform(),
        va="center",
    )


def label_tasks(axes: Axes, tasks: list[str]) -> None:
    """Axes of a figure by task: first all tasks, then each; a legend below when there are series."""
    labels = ["all tasks", *map(short_task, tasks)]
    if len(labels) > MANY_TASKS:
        axes.set_xticks(range(len(labels)), labels, rotation=90)
    else:
        axes.set_xticks(range(len(labels)), [label.replace(" ", "\n", 1) for label in labels])
    axes.set_xlabel("task")
    axes.set_ylim(0, 105)
    axes.set_ylabel("success rate (%)")
    axes.grid(axis="x", visible=False)
    axes.figure.legend(loc="outside lower center", ncols=3, frameon=False)
