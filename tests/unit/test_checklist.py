"""An item of the reproducibility checklist holds for every job behind a result, or is not ticked."""

from copy import deepcopy

import pytest

from vla.report.checklist import checklist

RECORD = {
    "environment": {
        "deployment": "conda",
        "name": "train-cpu",
        "lock": "0123456789abcdef",
        "python": "3.11.9",
        "torch": {"version": "2.13.0", "cuda": None, "gpus": []},
    },
    "hardware": {"cpu": "EPYC", "memory_gb": 24.0},
    "git": {"commit": "c0ffee", "dirty": []},
    "determinism": {"mode": "strict"},
    "device": "cpu",
    "seed": 1,
    "datasets": [{"name": "d", "version": "1.0", "content": "fedcba9876543210"}],
    "renderer": {"renderer": "llvmpipe"},
}


def filled(change) -> dict[str, tuple[bool, str]]:
    """The checklist of two runs and two evaluations, the last of which differs."""
    last = deepcopy(RECORD)
    change(last)
    second = RECORD | {"seed": 2}
    items = checklist([RECORD, second], [RECORD, last])
    return {name: (done, value) for done, name, value in items}


def test_equal_jobs_are_told_once_and_ticked():
    items = filled(lambda job: None)
    assert all(done for done, _ in items.values())
    assert items["Git commit"][1] == "c0ffee"
    assert items["Random seed set"][1] == "1; 2"


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (lambda job: job["git"].update(dirty=["vla/a.py"]), "Git commit", "1 uncommitted"),
        (lambda job: job["git"].update(commit=None), "Git commit", "not in git"),
        (lambda job: job["determinism"].update(mode="fast"), "Deterministic algorithms", "fast"),
        (
            lambda job: job["environment"].update(deployment="host"),
            "Locked environment",
            "not isolated",
        ),
    ],
)
def test_one_evaluation_that_falls_short_is_named_and_unticks(change, name, words):
    done, value = filled(change)[name]
    assert not done
    assert words in value and "; " in value
