"""The figure of two experiments, compared on the same episodes."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vla.records.rates import PairedRates
from vla.report.style import WIDTH, colour, draw_rates, label_tasks
from vla.words import CONDITIONS

SIDES = ("baseline", "candidate")
Results = dict[str, PairedRates]  # by condition, `instructed` first


def comparison_table(results: Results, names: tuple[str, str]) -> pd.DataFrame:
    """One row a condition and experiment for all tasks, with its interval, and one a task."""
    rows = []
    for condition, paired in results.items():
        for name, side in zip(names, SIDES, strict=True):
            overall = getattr(paired, side)
            whose = {"condition": condition, "experiment": name}
            rows.append(
                whose
                | {"task": "all", "episodes": overall.episodes}
                | {"rate": overall.rate, "low": overall.low, "high": overall.high}
            )
            rows += [
                whose
                | {"task": task, "episodes": rates.pairs}
                | {"rate": getattr(rates, side), "low": None, "high": None}
                for task, rates in paired.by_task.items()
            ]
    return pd.DataFrame(rows).round(4)


def draw_comparison(results: Results, names: tuple[str, str]) -> Figure:
    """Two experiments side by side, overall and by task: a panel a condition.

    Single tasks carry no interval: they have few episodes.
    """
    tasks = list(results["instructed"].by_task)
    figure, places = plt.subplots(
        len(results),
        figsize=(WIDTH, 2 + 2.1 * len(results)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    figure.get_layout_engine().set(
        hspace=0.08
    )  # a title is nearer to its panel than to the one above
    for axes, (condition, paired) in zip(places[:, 0], results.items(), strict=True):
        _draw(axes, paired, tasks, names if axes is places[-1, 0] else ("", ""))
        named = "" if len(results) == 1 else f"{CONDITIONS[condition]}: "
        axes.set_title(f"{named}{paired.statement}", fontsize="medium", loc="left")
        axes.set_ylabel("success rate (%)")
        axes.grid(axis="x", visible=False)
    label_tasks(axes, tasks)
    return figure


def _draw(axes: Axes, paired: PairedRates, tasks: list[str], labels: tuple[str, str]) -> None:
    places = [place for place, task in enumerate(tasks, 1) if task in paired.by_task]
    for number, side in enumerate(SIDES):
        offset = (number - 0.5) * 0.4
        style = {"color": colour(number)}
        draw_rates(axes, [offset], [getattr(paired, side)], 0.4, label=labels[number], **style)
        rates = [100 * getattr(paired.by_task[tasks[place - 1]], side) for place in places]
        axes.bar([place + offset for place in places], rates, 0.36, **style)
