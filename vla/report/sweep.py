"""The table and the figure of a sweep."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from vla.plan.expansion import short_names, show
from vla.records.sweep import StoppedCombination, SweptCombination
from vla.report.style import WIDTH, colour
from vla.statistics.sweep import SweepResults

COLUMNS = 4  # parameters side by side
FEW = 12  # values that have a place of their own each
GROUPS = 8
CHOSEN = 4  # number of its colour
WHOLE = ("_successes", "_episodes", "_crashes", "_step", "_rank", "_of")  # columns that count


def sweep_table(results: SweepResults) -> pd.DataFrame:
    """One row a run, in the order of the plan; then those that were stopped early, the last one first."""
    by_label = {combination.label: combination for combination in results.combinations}
    rows = []
    for run in results.runs:
        row: dict[str, Any] = {
            **_beginning(run.run, by_label[run.combination]),
            "validation_loss": run.validation_loss,
            "training_loss": run.training_loss,
        }
        for condition, rate in run.rates.items():
            row |= {f"{condition}_{name}": value for name, value in dict(rate).items()}
        row["chosen"] = run.combination == results.chosen.label
        rows.append(row)
    rows += [row for one in results.stopped for row in _stopped_rows(one)]
    table = pd.DataFrame(rows)
    if results.stopped:  # empty cells make numbers of whole ones fractions
        whole = [name for name in table if name.endswith(WHOLE)]
        table[whole] = table[whole].astype("Int64")
    return table.round(6)


def _beginning(run: str, combination: SweptCombination | StoppedCombination) -> dict[str, Any]:
    values = {path: show(value) for path, value in combination.values.items()}
    seed = int(run.removeprefix("seed").partition("-")[0])
    return {"run": run, **values, "seed": seed}


def _stopped_rows(combination: StoppedCombination) -> list[dict[str, Any]]:
    """One a run. Its loss is of another step than the others', so it has a column of its own."""
    return [
        {
            **_beginning(run, combination),
            "chosen": False,
            "stopped_at_step": combination.step,
            "stopped_loss": loss,
            "stopped_rank": combination.rank,
            "stopped_of": combination.candidates,
        }
        for run, loss in zip(combination.runs, combination.losses, strict=True)
    ]


def draw_sweep(results: SweepResults) -> Figure:
    """The effect of each swept parameter, one column a parameter."""
    paths = tuple(results.chosen.values)
    columns = min(COLUMNS, len(paths))
    bands = math.ceil(len(paths) / COLUMNS)
    figure, axes = plt.subplots(
        2 * bands, columns, figsize=(WIDTH, 5 * bands), squeeze=False, sharey="row"
    )
    names = short_names(paths)
    for number in range(bands * columns):
        band, column = divmod(number, columns)
        pair = axes[2 * band : 2 * band + 2, column]
        if number >= len(paths):
            for empty in pair:
                empty.set_visible(False)
            continue
        for axis, measure in zip(pair, ("loss", "rate"), strict=True):
            _draw_effect(axis, results, paths[number], measure)
        pair[0].tick_params(labelbottom=False)
        pair[1].set_xlabel(names[paths[number]].replace("_", " "))
        if column == 0:
            pair[0].set_ylabel("validation loss")
            pair[1].set_ylabel("success rate (%)")
            figure.align_ylabels(pair)
    return figure


def _draw_effect(axis: Axes, results: SweepResults, path: str, measure: str) -> None:
    both = [*results.combinations, *results.stopped]
    combinations = sorted(both, key=lambda one: _order(one.values[path]))
    values = list(dict.fromkeys(show(one.values[path]) for one in combinations))
    numeric = all(_is_number(one.values[path]) for one in combinations)
    if len(values) > FEW and numeric:
        places = [float(one.values[path]) for one in combinations]
        if _is_logarithmic(places):
            axis.set_xscale("log")
        parts = np.array_split(np.arange(len(combinations)), min(GROUPS, len(combinations)))
        groups = [[combinations[i] for i in part] for part in parts]
        middles = [float(np.median([places[i] for i in part])) for part in parts]
    else:
        places = [float(values.index(show(one.values[path]))) for one in combinations]
        groups = [[o for o in combinations if show(o.values[path]) == value] for value in values]
        middles = [float(number) for number in range(len(values))]
        upright = {"rotation": 90} if max(map(len, values)) * len(values) > 40 else {}
        axis.set_xticks(middles, values, **upright)
        axis.set_xlim(-0.5, len(values) - 0.5)
    place = dict(zip([one.label for one in combinations], places, strict=True))
    ended = list(results.combinations)
    measured = [_of(one, measure) for one in ended]
    stopped = [one.validation_loss for one in results.stopped] if measure == "loss" else []
    faint = max(0.08, min(0.35, 12 / len(combinations)))
    places = [place[one.label] for one in ended]
    axis.plot(places, measured, "o", color=colour(0), alpha=faint, markersize=4, linewidth=0)
    if stopped:
        crossed = [place[one.label] for one in results.stopped]
        axis.plot(crossed, stopped, "x", color="0.5", markersize=5, linewidth=0)
    by_group = [_by_seed(group, results, measure) for group in groups]
    middles = [middle for middle, seeds in zip(middles, by_group, strict=True) if seeds]
    means = [seeds for seeds in by_group if seeds]  # of some values none was trained to the end
    middle = [float(np.mean(seeds)) for seeds in means]
    below = [m - min(seeds) for m, seeds in zip(middle, means, strict=True)]
    above = [max(seeds) - m for m, seeds in zip(middle, means, strict=True)]
    axis.errorbar(
        middles, middle, [below, above], fmt="o-", color=colour(0), capsize=4, linewidth=1.2
    )
    ring = {"markerfacecolor": "none", "markeredgewidth": 2, "markersize": 11}
    axis.plot(places[0], measured[0], "o", color=colour(CHOSEN), **ring)  # the chosen one
    if measure == "rate":
        axis.set_ylim(-5, 105)
    else:
        _scale(axis, [value for value in [*measured, *stopped] if math.isfinite(value)])


def _is_logarithmic(values: list[float]) -> bool:
    """Whether the middle value lies nearer to the geometric than to the arithmetic middle of the ends."""
    low, high, middle = min(values), max(values), float(np.median(values))
    if low <= 0:
        return False
    return abs(math.log(middle / math.sqrt(low * high))) < abs(math.log(2 * middle / (low + high)))


def _scale(axis: Axes, losses: list[float]) -> None:
    """Losses that lie far apart on a logarithmic axis, labelled with plain numbers."""
    if min(losses) > 0 and max(losses) / min(losses) > 5:
        axis.set_yscale("log")
        axis.set_ylim(0.8 * min(losses), 1.25 * max(losses))
        ticks = np.geomspace(min(losses), max(losses), 5)
        axis.set_yticks(ticks, [f"{tick:.2g}" for tick in ticks])
        axis.yaxis.set_minor_formatter(NullFormatter())


def _of(combination: SweptCombination, measure: str) -> float:
    return combination.validation_loss if measure == "loss" else 100 * combination.rate.rate


def _by_seed(group: Sequence[SweptCombination], results: SweepResults, measure: str) -> list[float]:
    """Mean over the combinations of a group, one number a training seed."""
    labels = {combination.label for combination in group}
    by_seed: dict[int, list[float]] = {}
    for run in results.runs:
        if run.combination in labels:
            rate = 100 * run.rates["instructed"].rate
            by_seed.setdefault(run.seed, []).append(
                run.validation_loss if measure == "loss" else rate
            )
    return [float(np.mean(values)) for values in by_seed.values()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _order(value: Any) -> tuple[bool, Any]:
    """Numbers by size, everything else by its text."""
    return (False, value) if _is_number(value) else (True, show(value))
