"""An item of the reproducibility checklist holds for every job behind a result, or is not ticked."""

import pytest

from tests.records import (
    COMMIT,
    make_determinism,
    make_environment,
    make_evaluation_record,
    make_run_record,
)
from vla.records.circumstances import GitState
from vla.report.checklist import checklist

ENVIRONMENT = make_environment(deployment="conda", name="train-cpu", lock="0123456789abcdef")


def filled(**change) -> dict[str, tuple[bool, str]]:
    """The checklist of two runs and two evaluations, the last of which differs."""
    runs = [make_run_record(environment=ENVIRONMENT, seed=seed) for seed in (1, 2)]
    evaluations = [
        make_evaluation_record(**{"environment": ENVIRONMENT} | values) for values in ({}, change)
    ]
    return {name: (done, value) for done, name, value in checklist(runs, evaluations)}


def test_equal_jobs_are_told_once_and_ticked():
    items = filled()
    assert all(done for done, _ in items.values())
    assert items["Git commit"][1] == COMMIT
    assert items["Random seed set"][1] == "1; 2"


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"git": GitState(commit=COMMIT, dirty=["vla/a.py"])}, "Git commit", "1 uncommitted"),
        ({"git": GitState(commit=None, dirty=[])}, "Git commit", "not in git"),
        ({"determinism": make_determinism(mode="fast")}, "Deterministic algorithms", "fast"),
        ({"environment": make_environment()}, "Locked environment", "not isolated"),
    ],
)
def test_one_evaluation_that_falls_short_is_named_and_unticks(change, name, words):
    done, value = filled(**change)[name]
    assert not done
    assert words in value and "; " in value
