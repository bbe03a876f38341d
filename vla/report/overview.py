"""The figure of all experiments together."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from vla.records.rates import Rates
from vla.report.style import WIDTH, colour


def overview_table(summaries: list[tuple[str, Rates]]) -> pd.DataFrame:
    """One row an experiment."""
    rows = []
    for name, summary in summaries:
        rate = summary.conditions["instructed"].overall
        rows.append({"experiment": name, **dict(rate), "target": summary.target})
    return pd.DataFrame(rows).round(4)


def draw_overview(summaries: list[tuple[str, Rates]]) -> Figure:
    """Every experiment's success rate with its interval and target, one row each.

    `summaries`: names to show and summaries.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 1.1 + 0.4 * len(summaries)))
    targets = {}
    for row, (_, summary) in enumerate(summaries):
        rate = summary.conditions["instructed"].overall
        below, above = rate.rate - rate.low, rate.high - rate.rate
        axes.errorbar(
            100 * rate.rate,
            row,
            xerr=[[100 * below], [100 * above]],
            fmt="o",
            capsize=4,
            color=colour(0),
            label="measured, 95 % Wilson interval" if row == 0 else None,
        )
        if summary.target is not None:
            targets[row] = 100 * summary.target
    if targets:
        style = {"marker": "|", "s": 260, "color": "0.2", "label": "target"}
        axes.scatter(list(targets.values()), list(targets), **style)
    axes.set_yticks(range(len(summaries)), [name for name, _ in summaries])
    axes.set_ylim(len(summaries) - 0.5, -0.5)
    axes.set_xlim(0, 102)
    axes.set_xlabel("success rate (%)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
