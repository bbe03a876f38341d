"""What the policies can do, task by task."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from vla.report.sources import ExperimentSource
from vla.report.style import WIDTH, colour, draw_rates, draw_target, label_tasks
from vla.statistics.summary import rates_table
from vla.words import CONDITIONS

TITLE = "Success by task"
CAPTION = (
    "Success rate by task and condition with 95 % Wilson intervals; the dashed line is the target. "
    "Crashed episodes belong to no rate."
)


def table(source: ExperimentSource) -> pd.DataFrame:
    """One row a condition and task, and one a condition for all tasks."""
    return rates_table(source.summary)


def draw(source: ExperimentSource) -> Figure:
    figure, axes = plt.subplots(figsize=(WIDTH, 4.2))
    conditions = source.summary.conditions
    width = 0.8 / len(conditions)
    for number, (condition, content) in enumerate(conditions.items()):
        rates = [content.overall, *content.by_task.values()]
        offset = (number - (len(conditions) - 1) / 2) * width
        positions = [position + offset for position in range(len(rates))]
        style = {"color": colour(number), "label": CONDITIONS[condition]}
        draw_rates(axes, positions, rates, width, **style)
    draw_target(axes, source.summary.target)
    label_tasks(axes, list(next(iter(conditions.values())).by_task))
    return figure
