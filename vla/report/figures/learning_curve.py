"""How the loss fell."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from vla.report.sources import ExperimentSource
from vla.report.style import WIDTH, colour

TITLE = "Learning curve"
CAPTION = (
    "Training loss (log scale; faint: as logged, strong: mean of the nine rows around) and "
    "learning rate by training step, one line a training seed."
)
SMOOTHED_ROWS = 9


class PlainLogFormatter(LogFormatter):
    """Labels as many ticks as LogFormatter, with plain numbers: 0.02, not 2e-02."""

    def __call__(self, value: float, position: int | None = None) -> str:
        return f"{value:g}" if super().__call__(value, position) else ""


def table(source: ExperimentSource) -> pd.DataFrame:
    """One row a logged step and training seed."""
    parts = []
    for seed, metrics in source.metrics.items():
        part = metrics[["step", "loss", "learning_rate"]].copy()
        smooth = part["loss"].rolling(SMOOTHED_ROWS, center=True, min_periods=1).mean()
        part.insert(0, "training_seed", seed)
        part.insert(3, "smoothed_loss", smooth)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def draw(source: ExperimentSource) -> Figure:
    figure, (loss, rate) = plt.subplots(
        2, 1, figsize=(WIDTH, 4.8), sharex=True, height_ratios=(3, 1)
    )
    for number, (seed, rows) in enumerate(table(source).groupby("training_seed", sort=False)):
        style = {"color": colour(number)}
        loss.plot(rows["step"], rows["loss"], alpha=0.3, linewidth=0.8, **style)
        loss.plot(rows["step"], rows["smoothed_loss"], label=f"seed {seed}", **style)
        rate.plot(rows["step"], rows["learning_rate"], **style)
    loss.set_yscale("log")
    for set_formatter in (loss.yaxis.set_major_formatter, loss.yaxis.set_minor_formatter):
        set_formatter(PlainLogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.4)))
    loss.set_ylabel("training loss (log scale)")
    loss.legend(frameon=False)
    rate.set_ylabel("learning rate")
    rate.set_ylim(bottom=0)
    rate.set_xlabel("training step")
    figure.align_ylabels()
    return figure
