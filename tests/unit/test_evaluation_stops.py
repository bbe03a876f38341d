"""An evaluation ends in order: on a signal, on a full disk, and with its parent."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from test_evaluation import BUTTON, journal, maker, plans

from vla.errors import GoOnLaterError
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.evaluation.workers import run_episodes

__all__ = ["journal", "plans"]  # fixtures


def one_fills_the_disk_of_many(plan: EpisodePlan) -> EpisodeResult:
    with open(plan.instruction, "a", encoding="utf-8") as stream:
        stream.write(f"{plan.episode}\n")
    time.sleep(0.05)
    return EpisodeResult(plan, "success", 7, 0.1)


def many(plans: list[EpisodePlan], note: Path, count: int = 40) -> list[EpisodePlan]:
    return [replace(plans[0], episode=i, instruction=str(note)) for i in range(count)]


def test_results_that_cannot_be_kept_end_the_work(plans, journal, tmp_path):
    def append(result: EpisodeResult) -> None:
        raise OSError(28, "No space left on device")

    journal.append = append
    note = tmp_path / "ran"
    with pytest.raises(OSError, match="No space"):
        run_episodes(many(plans, note), maker(one_fills_the_disk_of_many), 1, journal)
    assert len(note.read_text().splitlines()) < 10


def stops_its_parent(plan: EpisodePlan) -> EpisodeResult:
    if plan.episode == 1:
        os.kill(os.getppid(), signal.SIGTERM)
    return one_fills_the_disk_of_many(plan)


def test_signal_stops_after_the_episodes_under_way_and_keeps_them(plans, journal, tmp_path):
    note = tmp_path / "ran"
    wanted = many(plans, note)
    with pytest.raises(GoOnLaterError, match="SIGTERM: stopped after"):
        run_episodes(wanted, maker(stops_its_parent), 1, journal)
    ran = len(note.read_text().splitlines())
    assert 2 <= ran < 10
    assert len(journal.read()) == ran


ORPHAN = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_evaluation import Journal, maker, run_episodes
from test_evaluation_stops import EpisodePlan, sleeps

if __name__ == "__main__":
    plans = [EpisodePlan({task!r}, 0, 1, {note!r})]
    run_episodes(plans, maker(sleeps), 1, Journal(Path({journal!r})))
"""


def sleeps(plan: EpisodePlan) -> EpisodeResult:
    Path(plan.instruction).write_text(str(os.getpid()))
    time.sleep(600)


def test_workers_do_not_outlive_a_parent_that_is_killed(tmp_path):
    note, script = tmp_path / "worker", tmp_path / "parent.py"
    script.write_text(
        ORPHAN.format(path=sys.path, task=BUTTON, note=str(note), journal=str(tmp_path / "journal"))
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)], env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    )
    deadline = time.monotonic() + 60
    while not (note.is_file() and note.read_text()):
        assert parent.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    worker = psutil.Process(int(note.read_text()))
    parent.kill()
    parent.wait()
    worker.wait(timeout=20)
