"""Which combinations of a sweep go on past a rung: successive halving, from measured losses alone.

All candidates of a rung are compared at once (Jamieson and Talwalkar 2016, "Non-stochastic Best Arm
Identification and Hyperparameter Optimization"; Li et al. 2017, "Hyperband"), so that neither the order in
which runs came so far nor the machine has a part in it. Pruners of tuning libraries (Optuna, Ray Tune's ASHA)
decide asynchronously: each run against those that reported before it, and which survive depends on the order.
"""

import math

from vla.files.described import describe_file
from vla.plan.sweeps import Sweep
from vla.records.halving import Candidate, HalvingRecord
from vla.records.rung import RungRecord
from vla.statistics.ranking import mean_loss, rank


def halve(
    losses: dict[str, list[float]], runs: dict[str, tuple[str, ...]], keep: int
) -> tuple[Candidate, ...]:
    """All candidates, the best first; the first `keep` go on, unless they diverged.

    `losses`: label -> validation loss of each run, NaN for one that diverged, in the order of the plan;
    `runs`: label -> their names. `UserError` when all diverged.
    """
    return tuple(
        Candidate(
            label=label,
            runs=runs[label],
            losses=tuple(losses[label]),
            loss=mean_loss(losses[label]),
            rank=place,
            goes_on=place <= keep and math.isfinite(mean_loss(losses[label])),
        )
        for place, label in enumerate(rank(losses), start=1)
    )


def decide(sweep: Sweep, number: int) -> HalvingRecord:
    """The choice at a rung, counted from 0, by the records of all runs that came so far."""
    halving, came = sweep.halvings[number], sweep.candidates(number)
    files = {one.label: one.rung_records(number) for one in came}
    losses = {
        label: [RungRecord.read(file).loss for file in of_runs] for label, of_runs in files.items()
    }
    runs = {one.label: tuple(run.name for run in one.runs) for one in came}
    return HalvingRecord(
        experiment=sweep.name,
        step=halving.step,
        last_step=max(one.config.training.num_steps for one in sweep.combinations),
        keep=halving.keep,
        validation=sweep.config.sweep.validation,
        candidates=halve(losses, runs, halving.keep),
        measured=tuple(
            describe_file(file, sweep.folder) for of_runs in files.values() for file in of_runs
        ),
    )
