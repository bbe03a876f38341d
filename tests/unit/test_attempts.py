"""Every attempt at a run is known afterwards, the lost ones too."""

import os
from datetime import UTC, datetime

import pytest

from vla.errors import GoOnLaterError
from vla.process.command import command_line
from vla.records.attempts import attempt, gpu_hours, read_attempts


@pytest.fixture
def files(tmp_path):
    return tmp_path / "attempts.jsonl", tmp_path / "metrics.csv"


def test_the_end_of_each_attempt_is_told(files):
    with pytest.raises(GoOnLaterError), attempt(*files):
        raise GoOnLaterError("SIGTERM: stopped after step 3")
    with pytest.raises(ValueError, match="broken"), attempt(*files):
        raise ValueError("broken")
    with attempt(*files) as so_far:
        present = so_far()
    with pytest.raises(KeyboardInterrupt), attempt(*files):
        raise KeyboardInterrupt
    outcomes = ["stopped: SIGTERM: stopped after step 3", "failed: broken", "finished"]
    assert [entry.outcome for entry in present] == outcomes
    outcomes.append("killed")
    assert [entry.outcome for entry in read_attempts(*files)] == outcomes


def test_killed_attempt_ended_when_it_last_wrote_metrics(files):
    ledger, heartbeat = files
    started = datetime(2026, 1, 1, tzinfo=UTC)
    ledger.write_text(f'{{"started": "{started.isoformat()}", "host": "h", "process": 1}}\n{{"end')
    heartbeat.touch()
    os.utime(heartbeat, (started.timestamp() + 7200,) * 2)
    (killed,) = read_attempts(*files)
    assert (killed.outcome, killed.seconds) == ("killed", 7200)
    with attempt(*files):
        heartbeat.touch()  # the next attempt's: the first one's end stays what it was
    first, second = read_attempts(*files)
    assert (first.outcome, first.seconds, second.outcome) == ("killed", 7200, "finished")
    assert gpu_hours([first, second], "cuda") == pytest.approx(2, abs=0.01)
    assert gpu_hours([first, second], "cpu") == 0


def test_clock_that_goes_backwards_makes_no_negative_time(files):
    ledger, heartbeat = files
    ledger.write_text('{"started": "2030-01-01T00:00:00+00:00", "host": "h", "process": 1}\n')
    heartbeat.touch()
    os.utime(heartbeat, (0, 0))
    assert read_attempts(*files)[0].seconds == 0


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["/venv/bin/snakemake", "--cores", "2"], "snakemake --cores 2"),
        (["/x/snakemake/__main__.py", "-n"], "snakemake -n"),
        (["snakemake", "--storage-s3-secret-key", "hush", "-n"], "snakemake --storage-s3-secret-key '***' -n"),
        (["snakemake", "--storage-s3-access-key=hush"], "snakemake '--storage-s3-access-key=***'"),
        (["snakemake", "--config", "password=hush"], "snakemake --config 'password=***'"),
    ],
)  # fmt: skip
def test_command_is_kept_without_secrets(arguments, shown):
    assert command_line(arguments) == shown
