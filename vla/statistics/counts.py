"""Intervals and tests of counted successes, by statsmodels.

It is imported where something is computed: SciPy's statistics come with it, and documents that show what
was computed before would wait a second for them.
"""

import numpy as np

CONFIDENCE = 0.95


def wilson(successes: float, episodes: int) -> tuple[float, float]:
    """Interval of a rate (Wilson 1927); two NaN without episodes."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, episodes, 1 - CONFIDENCE, method="wilson")
    return float(low), float(high)


def newcombe(successes: tuple[int, int], episodes: tuple[int, int]) -> tuple[float, float]:
    """Interval of the second rate minus the first, of samples that share nothing (Newcombe 1998, method 10)."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    (one, other), (of_one, of_other) = successes, episodes
    return confint_proportions_2indep(
        other, of_other, one, of_one, method="newcomb", compare="diff", alpha=1 - CONFIDENCE
    )


def mcnemar(table: np.ndarray) -> float:
    """p value of McNemar's exact test (McNemar 1947). `table`: (2, 2) int, pairs by both outcomes."""
    from statsmodels.stats.contingency_tables import mcnemar as test

    return float(test(table, exact=True).pvalue)
