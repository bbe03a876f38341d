"""Kill the whole workflow at random moments: it ends with the bytes of an undisturbed run."""

import os
import random
import subprocess
import sys
import time

import pytest
from killing import digest, leftovers, run_and_kill

from vla.records.run import RunRecord

TRIALS = int(os.environ.get("FAULTS", "2"))  # make test-faults N=50


@pytest.mark.parametrize("trial", range(TRIALS))
def test_killed_workflow_ends_with_the_same_bits(
    fresh, undisturbed, tmp_path, trial, record_property
):
    _, expected, seconds = undisturbed
    project = fresh.copy(tmp_path / "project")
    chance = random.Random(trial)
    moments, left = [], seconds
    for _ in range(chance.randint(1, 3)):
        moment = chance.uniform(1.5, max(3, 0.9 * left))
        left -= moment
        scripts = run_and_kill(project, moment)
        if scripts is None:
            break
        made, where = len(digest(project)), " and ".join(scripts) or "no script"
        moments.append(f"{moment:.1f} s in {where} ({made} of {len(expected)} results)")
        project.snakemake("--unlock")
    if moments:
        record_property("killed after", ", ".join(moments))
    project.snakemake()
    assert digest(project) == expected
    assert project.jobs() == {}
    assert leftovers(project.root) == []


def test_two_workflows_at_once_do_no_harm(fresh, undisturbed, tmp_path):
    """Snakemake's own lock is off, as between machines: one of the two may have to give way, and
    says to whom, or what the other's start of the same job has taken away."""
    _, expected, _ = undisturbed
    project = fresh.copy(tmp_path / "project")
    command = [sys.executable, "-m", "snakemake", "--nolock"]
    both = [
        subprocess.Popen(
            command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        printed, _ = process.communicate(timeout=600)
        reasons = ("Another process is at work in", "some output files are missing")
        assert process.returncode == 0 or any(words in printed for words in reasons), printed
    project.snakemake()
    assert digest(project) == expected


def test_killed_between_two_figures_before_the_clock_is_set_back(fresh, undisturbed, tmp_path):
    """One of a rule's outputs is missing, and all that is there lies two days in the future."""
    _, expected, _ = undisturbed
    project = fresh.copy(tmp_path / "project")
    assert (
        run_and_kill(project, 300, until="experiments/*/results/*/learning_curve.svg") is not None
    )
    for figure in project.root.glob("experiments/*/results/*/success_by_task.svg"):
        figure.unlink()  # as if it had been killed a moment earlier
    later = time.time() + 2 * 24 * 3600
    for path in project.root.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (later, later))
    project.snakemake("--unlock")
    project.snakemake()
    assert digest(project) == expected
    assert project.jobs() == {}
    for record in project.root.glob("experiments/*/results/*/run.json"):
        assert all(attempt.seconds >= 0 for attempt in RunRecord.read(record).attempts)
