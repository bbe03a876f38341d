"""The figure of two experiments, compared on the same episodes."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from vla.records.rates import PairedRates
from vla.report.style import WIDTH, colour, draw_rates, label_tasks


def comparison_table(results: PairedRates, names: tuple[str, str]) -> pd.DataFrame:
    """One row an experiment for all tasks, with its interval, and one a task."""
    rows = []
    for name, side in zip(names, ("baseline", "candidate"), strict=True):
        overall = getattr(results, side)
        rows.append(
            {"experiment": name, "task": "all", "episodes": overall.episodes}
            | {"rate": overall.rate, "low": overall.low, "high": overall.high}
        )
        rows += [
            {"experiment": name, "task": task, "episodes": paired.pairs}
            | {"rate": getattr(paired, side), "low": None, "high": None}
            for task, paired in results.by_task.items()
        ]
    return pd.DataFrame(rows).round(4)


def draw_comparison(results: PairedRates, names: tuple[str, str]) -> Figure:
    """Two experiments side by side, overall and by task.

    Single tasks carry no interval: they have few episodes.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 4.2))
    for number, side in enumerate(("baseline", "candidate")):
        offset = (number - 0.5) * 0.4
        style = {"color": colour(number)}
        draw_rates(axes, [offset], [getattr(results, side)], 0.4, label=names[number], **style)
        rates = [100 * getattr(task, side) for task in results.by_task.values()]
        positions = [position + 1 + offset for position in range(len(rates))]
        axes.bar(positions, rates, 0.36, **style)
    axes.set_title(results.statement, fontsize="medium")
    label_tasks(axes, list(results.by_task))
    return figure
