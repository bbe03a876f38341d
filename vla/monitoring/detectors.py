"""Detectors of anomalies: each looks at a row of metrics and at the rows before it.

A detector returns (value, threshold) when the row is anomalous, else None. Rows hold the columns of
the metrics file that are known (`gpu_percent` is absent without a GPU), and `disk_reserve_gb`, the
free space below which the disk counts as full.
"""

import math
from collections.abc import Callable, Sequence
from statistics import median

from vla.config.monitoring import MonitoringSection

Row = dict[str, float]
Finding = tuple[float, float] | None
Detector = Callable[[Row, Sequence[Row], Row, MonitoringSection], Finding]

ENOUGH = 10  # rows before a window says what is normal
ROBUST_SIGMA = 1.4826  # median absolute deviation -> standard deviation, of a normal distribution
THROUGHPUT_ROWS = 5
IDLE_ROWS = 10


def not_finite(row: Row, _: Sequence[Row], __: Row, ___: MonitoringSection) -> Finding:
    for name in ("loss", "gradient_norm"):
        if not math.isfinite(row[name]):
            return row[name], math.inf
    return None


def divergence(row: Row, _: Sequence[Row], first: Row, config: MonitoringSection) -> Finding:
    return _above(row["loss"], config.divergence_factor * first["loss"])


def loss_spike(row: Row, window: Sequence[Row], _: Row, config: MonitoringSection) -> Finding:
    if len(window) < ENOUGH:
        return None
    losses = [before["loss"] for before in window]
    middle = median(losses)
    spread = ROBUST_SIGMA * median(abs(loss - middle) for loss in losses)
    # A smooth curve has hardly any spread: half of the median is never a spike.
    return _above(row["loss"], middle + max(config.spike_deviations * spread, middle / 2))


def gradient_explosion(
    row: Row, window: Sequence[Row], _: Row, config: MonitoringSection
) -> Finding:
    if len(window) < ENOUGH:
        return None
    usual = median(before["gradient_norm"] for before in window)
    return _above(row["gradient_norm"], config.gradient_factor * usual)


def not_repeated(row: Row, _: Sequence[Row], __: Row, ___: MonitoringSection) -> Finding:
    """`loss_before`: of the same step before a resume; only where bits are meant to repeat."""
    before = row.get("loss_before", row["loss"])
    return (row["loss"], before) if repr(row["loss"]) != repr(before) else None  # NaN repeats NaN


def plateau(row: Row, window: Sequence[Row], first: Row, config: MonitoringSection) -> Finding:
    if len(window) < config.window:
        return None
    peak = max(before["learning_rate"] for before in (*window, first))
    if row["learning_rate"] < peak / 2:  # a schedule that ends is meant to settle
        return None
    half = len(window) // 2
    older = median(before["loss"] for before in list(window)[:half])
    newer = median([*(before["loss"] for before in list(window)[half:]), row["loss"]])
    return (newer, older) if newer >= older else None


def throughput_drop(row: Row, window: Sequence[Row], _: Row, config: MonitoringSection) -> Finding:
    if len(window) < 2 * ENOUGH:
        return None
    speeds = [before["samples_per_second"] for before in window]
    newest = [*speeds[-(THROUGHPUT_ROWS - 1) :], row["samples_per_second"]]
    threshold = config.throughput_fraction * median(speeds)
    return (max(newest), threshold) if max(newest) < threshold else None


def idle_gpu(row: Row, window: Sequence[Row], _: Row, config: MonitoringSection) -> Finding:
    newest = [before.get("gpu_percent") for before in (*window, row)][-IDLE_ROWS:]
    if len(newest) < IDLE_ROWS or None in newest or max(newest) >= config.idle_percent:
        return None
    return max(newest), config.idle_percent


def disk_filling(row: Row, window: Sequence[Row], _: Row, config: MonitoringSection) -> Finding:
    """Minutes until the reserve is reached, at the pace between the window's oldest row and now.

    A pace is worth a forecast of ten times the time it was seen for, no more.
    """
    if len(window) < ENOUGH:
        return None
    used = window[0]["disk_free_gb"] - row["disk_free_gb"]
    took = row["seconds"] - window[0]["seconds"]
    if used <= 0 or took < 60 * config.disk_horizon_minutes / 10:
        return None
    left = (row["disk_free_gb"] - row["disk_reserve_gb"]) / (used / took) / 60
    return (left, config.disk_horizon_minutes) if left < config.disk_horizon_minutes else None


def disk_full(row: Row, _: Sequence[Row], __: Row, ___: MonitoringSection) -> Finding:
    free, reserve = row["disk_free_gb"], row["disk_reserve_gb"]
    return (free, reserve) if free < reserve else None


def _above(value: float, threshold: float) -> Finding:
    return (value, threshold) if value > threshold else None


# In the order in which they are asked; names are those of the configuration.
DETECTORS: dict[str, Detector] = {
    "not_finite": not_finite,
    "divergence": divergence,
    "loss_spike": loss_spike,
    "gradient_explosion": gradient_explosion,
    "not_repeated": not_repeated,
    "plateau": plateau,
    "throughput_drop": throughput_drop,
    "idle_gpu": idle_gpu,
    "disk_filling": disk_filling,
    "disk_full": disk_full,
}
