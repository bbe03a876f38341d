"""The order of a sweep's combinations by their validation losses, and the words for those that lost."""

import math

import numpy as np

from vla.errors import UserError


def rank(losses: dict[str, list[float]]) -> list[str]:
    """Labels of combinations, the best first: by the mean of their validation losses, one a training seed.

    Nothing else is known here: no test episode can have a part in the choice. Equal means keep the
    order in which they come; a loss that is no number, or infinite, comes last. `UserError` when all are.
    """
    means = {label: mean_loss(values) for label, values in losses.items()}
    if not any(map(math.isfinite, means.values())):
        raise UserError(
            "No combination of the sweep has a finite validation loss: none can be chosen.",
            "Look at the runs' learning curves; lower training.learning_rate.",
        )
    return sorted(
        means, key=lambda label: means[label] if math.isfinite(means[label]) else math.inf
    )


def mean_loss(losses: list[float]) -> float:
    """Mean over training seeds."""
    return float(np.mean(losses))


def describe_stop(step: int, loss: float, place: int, candidates: int) -> str:
    """'stopped at step 250: loss 0.5312, rank 5 of 6', of a combination that was stopped early."""
    measured = f"loss {loss:.4g}" if math.isfinite(loss) else "diverged"
    return f"stopped at step {step}: {measured}, rank {place} of {candidates}"
