"""A run trained by two processes, one of which is killed, ends with the bits of one process."""

import os
import shutil
import signal
import subprocess
import sys
import time

import psutil

from vla.files.hashing import sha256_file
from vla.records.run import RunRecord

ONLY_B = ("--config", 'experiments=["b"]', "comparisons=[]", "--until", "train")


def other_rank(job: psutil.Process) -> psutil.Process | None:
    for process in job.children(recursive=True):
        if "vla.workflow.ranks" in process.cmdline():
            return process
    return None


def test_killed_rank_is_named_and_training_goes_on_with_any_number(project):
    project.change("b", "training", micro_batches=2, num_steps=100)
    project.change("b", "resources", training_processes=2)
    project.change("b", "checkpoints", save_every=10)
    running = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *ONLY_B],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    checkpoints = "experiments/b/checkpoints/*/step_00000010.json"
    while not list(project.root.glob(checkpoints)):
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.02)
    os.kill(other_rank(psutil.Process(running.pid)).pid, signal.SIGKILL)
    printed = running.communicate()[0]
    assert running.returncode != 0
    assert "Rank 1 of 2 died (exit code -9)" in printed
    assert "training goes on from the last checkpoint" in printed

    project.snakemake(*ONLY_B)
    (record,) = (
        path
        for path in project.root.glob("experiments/b/results/*/run.json")
        if RunRecord.read(path).processes == 2
    )
    finished = RunRecord.read(record)
    assert finished.resumed_from_step >= 10
    policy = record.parents[2] / finished.files.policy.path
    expected = sha256_file(policy)

    record.unlink()
    shutil.rmtree(policy.parent)
    project.change("b", "resources", training_processes=1)
    project.snakemake(*ONLY_B)
    again = RunRecord.read(record)  # under the same key
    assert (again.processes, again.resumed_from_step) == (1, 0)
    assert again.files.policy.sha256 == expected
