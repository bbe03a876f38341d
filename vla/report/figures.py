"""Figures. The same numbers give the same file, byte for byte."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from vla.files.atomic import write_atomic
from vla.statistics.rates import percent
from vla.words import CONDITIONS, short_task

plt.rcParams.update(
    {
        "svg.hashsalt": "vla",  # ids in the SVG
        "svg.fonttype": "path",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "figure.constrained_layout.use": True,
    }
)
# Okabe & Ito's palette: told apart with every kind of colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")


def save(figure: Figure, path: Path) -> None:
    write_atomic(
        path, lambda temporary: figure.savefig(temporary, format="svg", metadata={"Date": None})
    )
    plt.close(figure)


def learning_curve(metrics: dict[int, pd.DataFrame]) -> Figure:
    """Training loss and learning rate by step; `metrics`: training seed -> metrics file."""
    figure, (loss, rate) = plt.subplots(2, 1, figsize=(6, 4.2), sharex=True, height_ratios=(3, 1))
    for colour, (seed, table) in zip(COLOURS * len(metrics), metrics.items(), strict=False):
        loss.plot(table["step"], table["loss"], color=colour, alpha=0.3, linewidth=0.8)
        smooth = table["loss"].rolling(9, center=True, min_periods=1).mean()
        loss.plot(table["step"], smooth, color=colour, label=f"seed {seed}")
        rate.plot(table["step"], table["learning_rate"], color=colour)
    loss.set_yscale("log")
    for set_formatter in (loss.yaxis.set_major_formatter, loss.yaxis.set_minor_formatter):
        set_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.4)))
    loss.set_ylabel("training loss")
    loss.legend(frameon=False)
    rate.set_ylabel("learning rate")
    rate.set_xlabel("step")
    return figure


def success_by_task(summary: dict[str, Any]) -> Figure:
    """Success rates with 95 % Wilson intervals, by task and condition, against the target."""
    conditions = summary["conditions"]
    tasks = [*next(iter(conditions.values()))["by_task"]]
    figure, axes = plt.subplots(figsize=(7, 3.4))
    width = 0.8 / len(conditions)
    for number, (condition, content) in enumerate(conditions.items()):
        rates = [content["overall"], *(content["by_task"][task] for task in tasks)]
        offset = (number - (len(conditions) - 1) / 2) * width
        positions = [position + offset for position in range(len(rates))]
        _bars(axes, positions, rates, width, COLOURS[number], CONDITIONS[condition])
    if summary["target"] is not None:
        axes.axhline(100 * summary["target"], color="0.3", linestyle="--", linewidth=1)
        axes.text(
            1.01,
            100 * summary["target"],
            f"target {percent(summary['target'])}",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
        )
    _finish(axes, ["all tasks", *map(short_task, tasks)])
    return figure


def comparison(results: dict[str, Any], names: tuple[str, str]) -> Figure:
    """Two experiments side by side, overall and by task, on the same episodes."""
    figure, axes = plt.subplots(figsize=(7, 3.4))
    for number, side in enumerate(("baseline", "candidate")):
        offset = (number - 0.5) * 0.4
        _bars(axes, [offset], [results[side]], 0.4, COLOURS[number], names[number])
        rates = [100 * task[side] for task in results["by_task"].values()]
        positions = [position + 1 + offset for position in range(len(rates))]
        axes.bar(positions, rates, 0.36, color=COLOURS[number], alpha=0.75)
    axes.set_title(results["statement"], fontsize=9)
    _finish(axes, ["all tasks", *map(short_task, results["by_task"])])
    return figure


def overview(summaries: dict[str, dict[str, Any]]) -> Figure:
    """Every experiment's success rate with its interval and target, one row each."""
    figure, axes = plt.subplots(figsize=(7, 0.9 + 0.5 * len(summaries)))
    for row, summary in enumerate(summaries.values()):
        rate = summary["conditions"]["instructed"]["overall"]
        axes.errorbar(
            100 * rate["rate"],
            row,
            xerr=[
                [100 * (rate["rate"] - rate["low"])],
                [100 * (rate["high"] - rate["rate"])],
            ],
            fmt="o",
            capsize=4,
            color=COLOURS[row % len(COLOURS)],
        )
        if summary["target"] is not None:
            axes.plot(100 * summary["target"], row, marker="|", markersize=16, color="0.3")
    axes.set_yticks(range(len(summaries)), list(summaries))
    axes.set_ylim(len(summaries) - 0.5, -0.5)
    axes.set_xlim(0, 102)
    axes.set_xlabel("success rate (%), 95 % Wilson interval; bar: target")
    return figure


def _bars(
    axes: Axes, positions: list[float], rates: list[dict], width: float, colour: str, label: str
) -> None:
    heights = [100 * rate["rate"] for rate in rates]
    below = [100 * (rate["rate"] - rate["low"]) for rate in rates]
    above = [100 * (rate["high"] - rate["rate"]) for rate in rates]
    axes.bar(positions, heights, width * 0.9, color=colour, alpha=0.75, label=label)
    axes.errorbar(
        positions, heights, [below, above], fmt="none", ecolor="0.15", capsize=2, linewidth=1
    )


def _finish(axes: Axes, labels: list[str]) -> None:
    axes.set_xticks(range(len(labels)), [label.replace(" ", "\n", 1) for label in labels])
    axes.set_ylim(0, 105)
    axes.set_ylabel("success rate (%)")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3)
    axes.grid(axis="x", visible=False)
