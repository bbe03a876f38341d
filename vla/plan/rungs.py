"""At which steps a sweep's combinations are compared while they train, and how many go on."""

from pathlib import Path

from vla.config.complete import ExperimentConfig
from vla.errors import UserError


def find_rungs(
    config: ExperimentConfig, combinations: list[ExperimentConfig], source: Path
) -> list[tuple[int, int]]:
    """(step, number of combinations that go on past it) of each rung of early stopping; none without.

    Successive halving (Jamieson and Talwalkar 2016): rungs at `first_step` times powers of `reduction`,
    at each of which one of `reduction` combinations goes on, rounded down, until one is left. `config`: of
    the sweep, read from `source`; `combinations`: its combinations'. `UserError` when nothing can be
    stopped.
    """
    section = config.sweep.early_stopping
    if section is None:
        return []
    mistake = f"{source}: sweep.early_stopping"
    if config.training.sharding != "none":
        raise UserError(
            f"{mistake} does not know policies that several GPUs share (training.sharding: "
            f"{config.training.sharding}).",
            "Leave early_stopping out.",
        )
    if len(combinations) == 1:
        raise UserError(
            f"{mistake}: the sweep has one combination, and nothing to compare it with.",
            "Leave early_stopping out, or name more values in sweep.parameters.",
        )
    shortest = min(one.training.num_steps for one in combinations)
    if section.first_step >= shortest:
        raise UserError(
            f"{mistake}.first_step ({section.first_step}) is not before the last step of training "
            f"(training.num_steps: {shortest}).",
            "Take a smaller first_step, or leave early_stopping out.",
        )
    rungs: list[tuple[int, int]] = []
    step, left = section.first_step, len(combinations)
    while step < shortest and left > 1:
        left = max(1, left // section.reduction)
        rungs.append((step, left))
        step *= section.reduction
    return rungs
