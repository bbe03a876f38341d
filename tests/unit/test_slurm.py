"""Asking SLURM, whose commands are stood in for: what they say is answered, and silence ends."""

from pathlib import Path

import pytest

from vla.checks.cluster import check_cluster
from vla.checks.profile import Profile
from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.plan.requests import Request
from vla.process import slurm
from vla.process.slurm import SubmittedJob, ask
from vla.workflow.failures import last_lines

SHIPPED = Path(__file__).parents[2] / "profiles/slurm"
REQUEST = Request(cores=2, gpus=1, memory=4000, minutes=60)
JOB = "JobId=7 JobName=uuid JobState={} Comment={} Requeue=1"


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """Puts commands on PATH, by name and the shell that they run; returns what was called."""
    called = tmp_path / "called"
    called.touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def install(**scripts: str) -> Path:
        for name, script in scripts.items():
            path = tmp_path / name
            path.write_text(f'#!/bin/sh\necho "{name} $*" >> {called}\n{script}\n')
            path.chmod(0o755)
        return called

    return install


@pytest.fixture
def in_job(commands, monkeypatch):
    """This process in job 7, of a state and with a comment."""

    def enter(state="RUNNING", comment="rule_train_wildcards_a", squeue="true") -> Path:
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        return commands(scontrol=f"echo {JOB.format(state, comment)}", squeue=squeue)

    return enter


def test_a_command_that_does_not_end_is_ended(commands, monkeypatch):
    commands(sinfo="exec sleep 60")
    monkeypatch.setattr(slurm, "PATIENCE", 0.2)
    with pytest.raises(UserError, match="SLURM did not answer `sinfo`"):
        ask("sinfo")


def test_a_machine_without_slurm_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="sbatch is not installed here"):
        ask("sbatch")


def test_a_job_that_runs_goes_back_into_the_queue(in_job):
    called = in_job()
    assert SubmittedJob.here().requeue()
    assert "scontrol requeue 7\n" in called.read_text()


@pytest.mark.parametrize("state", ["CANCELLED", "COMPLETING", "TIMEOUT", "PENDING"])
def test_a_job_that_is_being_ended_stays_ended(in_job, state):
    called = in_job(state)
    assert not SubmittedJob.here().requeue()
    assert "requeue" not in called.read_text()


def test_an_allocation_that_a_person_made_is_left_alone(in_job):
    in_job(comment="(null)")
    assert SubmittedJob.here() is None


def test_outside_slurm_nothing_is_asked(commands, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    called = commands(scontrol="true")
    assert SubmittedJob.here() is None
    assert called.read_text() == ""


def test_what_was_cancelled_is_not_started_again(in_job):
    in_job(squeue="echo 6 rule_train_wildcards_a")
    with pytest.raises(UserError, match=r"Job 6, .* was cancelled"):
        SubmittedJob.here().refuse_if_cancelled()
    in_job(squeue="echo 6 rule_train_wildcards_b")
    SubmittedJob.here().refuse_if_cancelled()


def test_profile_goes_before_the_request_and_quotes_are_taken_off(tmp_path):
    text = (SHIPPED / "config.yaml").read_text()
    text = text.replace("  train:\n", "  train:\n    gpu: 2\n    gpu_model: a100\n    runtime: 5\n")
    (tmp_path / "config.yaml").write_text(text)
    options = Profile(tmp_path).submission("train", REQUEST).options()
    assert {"--gpus=a100:2", "-t5", "--mem=4000", "-pmain", "--signal=TERM@300"} <= set(options)
    assert "--gpus=1" in Profile(tmp_path).submission("evaluate", REQUEST).options()


def test_profile_that_is_none_of_a_cluster_is_refused(tmp_path):
    with pytest.raises(UserError, match="is not there"):
        Profile(tmp_path)
    with pytest.raises(UserError, match="does not say `executor: slurm`"):
        Profile(SHIPPED.parent / "default")


def test_jobs_of_one_group_have_the_same_texts():
    """Snakemake groups no jobs whose options of sbatch differ."""
    content = read_yaml(SHIPPED / "config.yaml")
    evaluate, film = (content["set-resources"][rule] for rule in ("evaluate", "film"))
    assert evaluate == film


def test_controller_that_is_away_is_one_clear_line(commands):
    commands(scontrol="echo 'slurm_load_ctl_conf error: Unable to contact' >&2; exit 1")
    (finding,) = check_cluster(None, Profile(SHIPPED))
    assert finding.status == "fail"
    assert "Unable to contact" in finding.found
    assert "scontrol ping" in finding.way_out


def test_what_failed_once_asks_for_more():
    again = REQUEST.after(2)
    assert (again.memory, again.minutes) == (8000, 120)
    assert (again.cores, again.gpus) == (REQUEST.cores, REQUEST.gpus)


def test_ends_of_the_logs_of_failed_jobs(tmp_path):
    (tmp_path / "train.log").write_text("\n".join(map(str, range(100))))
    (tmp_path / "1.log").write_text("the first attempt")
    (tmp_path / "2.log").write_text("the second attempt")
    own = tmp_path / "snakemake.log"
    lines = [
        f"    log: train.log, {attempt} (check log file(s) for error details)\n"
        for attempt in ("1.log", "2.log", "2.log, gone.log")
    ]
    own.write_text("".join(lines))
    shown = last_lines(own, tmp_path).splitlines()
    assert shown[0].endswith("train.log")
    assert shown[1:13] == [str(number) for number in range(88, 100)]
    assert shown[13:] == [f"--- the end of {tmp_path / '2.log'}", "the second attempt"]
