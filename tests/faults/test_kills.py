"""Kill the whole workflow at random moments: it ends with the bytes of an undisturbed run."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import digest, leftovers, run_and_kill

from tests.project import Project

TRIALS = int(os.environ.get("FAULTS", "2"))  # make test-faults N=50


@pytest.mark.parametrize(
    "trial",
    [  # two at a time
        pytest.param(number, marks=pytest.mark.xdist_group(f"faults{number % 2 or ''}"))
        for number in range(TRIALS)
    ],
)
def test_killed_workflow_ends_with_the_same_bits(fresh, undisturbed, tmp_path, trial):
    _, expected, seconds = undisturbed
    project = fresh.copy(tmp_path / "project")
    chance = random.Random(trial)
    moments = []
    for _ in range(chance.randint(1, 3)):
        moment = chance.uniform(1.5, seconds)
        if not run_and_kill(project, moment):
            break
        made = len(digest(project))
        moments.append(f"{moment:.1f} s ({made} of {len(expected)} results)")
        project.snakemake("--unlock")
    project.snakemake()
    print(f"\ntrial {trial}: killed after {', '.join(moments) or 'nothing'}")
    assert digest(project) == expected
    assert project.jobs() == {}
    for folder in project.root.glob("experiments/*/checkpoints"):
        assert leftovers(folder) == []


@pytest.mark.xdist_group("faults")
def test_two_workflows_at_once_do_no_harm(fresh, undisturbed, tmp_path):
    """Snakemake's own lock is off, as between machines: one of the two may have to give way."""
    _, expected, _ = undisturbed
    project = fresh.copy(tmp_path / "project")
    command = [sys.executable, "-m", "snakemake", "--nolock"]
    both = [
        subprocess.Popen(
            command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    for process in both:
        process.communicate(timeout=600)
    project.snakemake()
    assert digest(project) == expected


@pytest.mark.xdist_group("faults")
def test_clock_set_back_by_two_days_changes_nothing(fresh, undisturbed, tmp_path):
    """Killed half way; everything made so far then lies in the future (libfaketime)."""
    _, expected, seconds = undisturbed
    project = fresh.copy(tmp_path / "project")
    assert run_and_kill(project, seconds * 0.6)
    assert digest(project), "nothing was made yet: the clock would have nothing to disturb"
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    clock = {"LD_PRELOAD": str(library), "FAKETIME": "-2d", "DONT_FAKE_MONOTONIC": "1"}
    back = Project(project.root, clock)
    back.snakemake("--unlock")
    back.snakemake()
    assert digest(project) == expected
    assert back.jobs() == project.jobs() == {}
    run = project.one("experiments/a/results/seed1-*/run.json")
    assert all(entry["seconds"] >= 0 for entry in json.loads(run.read_text())["attempts"])
