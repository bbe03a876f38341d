"""What an experiment cost: time, processor hours, GPU hours and energy, from the records of its runs."""

from dataclasses import dataclass

import pandas as pd

from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord

JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True)
class Compute:
    """What one run and its evaluations took.

    `training_seconds`, `evaluation_seconds`: wall time; episodes that ran side by side count one by
    one. `cpu_hours`: of training, as measured (one core, fully used, for an hour is one). `gpu_hours`:
    of training, attempts that were lost included; None where an old record does not say.
    `energy_kwh`: of the GPU while it trained, `cpu_energy_kwh`: of the machine's processors meanwhile;
    None where it was not measured.
    """

    seed: int
    device: str
    attempts: int
    training_seconds: float
    evaluation_seconds: float
    cpu_hours: float
    gpu_hours: float | None
    energy_kwh: float | None
    cpu_energy_kwh: float | None


def measure_compute(
    run: RunRecord, evaluations: list[EvaluationRecord], metrics: pd.DataFrame
) -> Compute:
    """`evaluations`: those of the run's policy; `metrics`: its metrics file."""
    return Compute(
        seed=run.seed,
        device=_device(run),
        attempts=max(len(run.attempts), 1),
        training_seconds=run.training_seconds,
        evaluation_seconds=sum(evaluation.episode_seconds for evaluation in evaluations),
        cpu_hours=_cpu_hours(metrics),
        gpu_hours=run.gpu_hours,
        energy_kwh=_energy_kwh(metrics, "gpu_energy_j"),
        cpu_energy_kwh=_energy_kwh(metrics, "cpu_energy_j"),
    )


def _device(run: RunRecord) -> str:
    gpus = run.environment.torch.gpus if run.environment.torch else ()
    return ", ".join(gpus) if run.device.startswith("cuda") and gpus else run.hardware.cpu


def _cpu_hours(metrics: pd.DataFrame) -> float:
    """Each row holds the use of the processor since the row before, in percent of one core."""
    took = metrics["seconds"].diff().fillna(metrics["seconds"])
    return float((metrics["cpu_percent"].fillna(0) / 100 * took.clip(lower=0)).sum() / 3600)


def _energy_kwh(metrics: pd.DataFrame, column: str) -> float | None:
    """The meter counts from the start of each attempt; one that was resumed starts again at zero."""
    if column not in metrics or metrics[column].isna().all():
        return None
    meter = metrics[column].dropna()
    begun_anew = meter.diff() < 0
    of_attempts = meter.groupby(begun_anew.cumsum()).last()
    return float(of_attempts.sum() / JOULES_PER_KWH)
