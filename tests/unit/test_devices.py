"""GPUs of a machine with several: jobs at once never share one, and a killed job frees its own."""

import os
import signal
import subprocess
import sys

import pytest

from tests.project import ROOT
from vla.errors import UserError
from vla.process import devices
from vla.process.devices import VARIABLE, reserved_gpus

JOB = """
import os, sys
from vla.process.devices import reserved_gpus
with reserved_gpus(int(sys.argv[1])):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Starts a job that holds GPUs of 0, 1 and 2 until it is ended."""
    jobs = []

    def begin(count: int) -> subprocess.Popen:
        job = subprocess.Popen(
            [sys.executable, "-c", JOB, str(count)],
            env=os.environ | {VARIABLE: "0,1,2", "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        jobs.append(job)
        return job

    yield begin
    for job in jobs:
        job.kill()
        job.communicate()


def seen(job: subprocess.Popen) -> set[str]:
    return set(job.stdout.readline().strip().split(","))


def test_jobs_at_once_have_gpus_of_their_own_and_a_killed_one_frees_its(start):
    one, two = start(1), start(2)
    first, second = seen(one), seen(two)
    assert (len(first), len(second)) == (1, 2)
    assert first | second == {"0", "1", "2"}
    third = start(2)  # waits: all three are in use
    two.send_signal(signal.SIGKILL)
    two.wait()
    assert seen(third) == second


@pytest.fixture
def here(monkeypatch, tmp_path):
    """This process, on a machine whose GPUs are `GPU-a` and `GPU-b`."""
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv(VARIABLE, "GPU-a,GPU-b")
    return monkeypatch


def test_variable_is_as_before_afterwards(here):
    with reserved_gpus(1):
        assert os.environ[VARIABLE] == "GPU-a"
    assert os.environ[VARIABLE] == "GPU-a,GPU-b"


def test_more_gpus_than_there_are_are_refused(here):
    with pytest.raises(UserError, match="3 GPUs are asked for, and 2 are here"), reserved_gpus(3):
        pass


@pytest.mark.parametrize(("variable", "value"), [("SLURM_JOB_ID", "7"), (VARIABLE, "-1")])
def test_nothing_is_taken_under_a_scheduler_or_without_gpus(here, tmp_path, variable, value):
    here.setenv(variable, value)
    with reserved_gpus(1):
        assert list(tmp_path.iterdir()) == []


def test_jobs_without_gpus_take_none(here, tmp_path):
    with reserved_gpus(0):
        assert os.environ[VARIABLE] == "GPU-a,GPU-b"
        assert list(tmp_path.iterdir()) == []
