"""How far each run is, read from its files: works for jobs on any machine that shares the folder."""

import fcntl
import json
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vla.files import read_sealed
from vla.items import Evaluation, Experiment, Run
from vla.monitoring.monitor import read_events
from vla.provenance.attempts import read_attempts
from vla.tracking.metrics import numbers, read_metrics

RECENT = 120.0  # seconds: a file that was written so lately has a job behind it
SPEED_ROWS = 20  # rows of metrics that tell the present speed


@dataclass(frozen=True)
class EvaluationState:
    """One condition's episodes. `planned` is 0 while nobody knows the number of tasks."""

    condition: str
    done: int
    planned: int
    successes: int
    finished: bool


@dataclass(frozen=True)
class RunState:
    """One run. `state`: waiting, training, stopped, failed, killed, evaluating, trained, finished.

    `step`, `steps`: of training; `losses`: those of the metrics file; `seconds_left`: of training,
    at its present speed; `why`: how the last attempt ended, where it did not finish.
    """

    experiment: str
    run: str
    seed: int
    state: str
    step: int
    steps: int
    losses: tuple[float, ...]
    seconds_left: float | None
    evaluations: tuple[EvaluationState, ...]
    events: tuple[dict[str, Any], ...] = field(default=())
    why: str = ""

    def describe(self) -> str:
        """'seed 42: stopped at step 900 of 1400: SIGTERM'."""
        text = f"seed {self.seed}: {self.state}"
        if 0 < self.step < self.steps:
            text += f" at step {self.step} of {self.steps}"
        for evaluation in self.evaluations:
            if evaluation.done:
                text += f", {evaluation.condition} {evaluation.done}/{evaluation.planned or '?'}"
        reason = " ".join(self.why.partition("\n")[0].split())
        return f"{text}: {reason}" if reason else text


def busy_experiments(root: Path) -> list[str]:
    """Experiments whose logs grew lately, listed in config/config.yaml or not."""
    logs = [
        (path.parts[-4], path.stat().st_mtime) for path in root.glob("experiments/*/logs/*/*.log")
    ]
    return sorted({name for name, changed in logs if time.time() - changed < RECENT})


def experiment_states(experiment: Experiment) -> list[RunState]:
    return [run_state(experiment, run) for run in experiment.runs]


def run_state(experiment: Experiment, run: Run) -> RunState:
    logs = experiment.folder / "logs" / run.name
    rows = [numbers(row) for row in read_metrics(logs / "metrics.csv")]
    steps = experiment.config.training.num_steps
    evaluations = tuple(_evaluation(experiment, run, e) for e in run.evaluations)
    attempts = read_attempts(logs / "attempts.jsonl", logs / "metrics.csv")
    trained = experiment.run_record(run).is_file()
    state, why = "waiting", ""
    if trained:
        begun = any(e.done for e in evaluations)
        done = all(e.finished for e in evaluations)
        state = "finished" if done else "evaluating" if begun else "trained"
    elif attempts:
        why = attempts[-1]["how"]
        state = why.partition(":")[0]
        if state == "killed" and _at_work(experiment.folder / "checkpoints" / run.name, logs):
            state, why = "training", ""
    return RunState(
        experiment=experiment.name,
        run=run.name,
        seed=run.seed,
        state=state,
        step=steps if trained else int(rows[-1]["step"]) if rows else 0,
        steps=steps,
        losses=tuple(row["loss"] for row in rows),
        seconds_left=_seconds_left(rows, steps) if state == "training" else None,
        evaluations=evaluations,
        events=tuple(read_events(logs / "events.jsonl")),
        why=why.partition(": ")[2] if why.startswith(("failed", "stopped")) else "",
    )


def _seconds_left(rows: list[dict[str, float]], steps: int) -> float | None:
    newest = rows[-SPEED_ROWS:]
    if len(newest) < 2 or newest[-1]["seconds"] <= newest[0]["seconds"]:
        return None
    speed = (newest[-1]["step"] - newest[0]["step"]) / (
        newest[-1]["seconds"] - newest[0]["seconds"]
    )
    return (steps - newest[-1]["step"]) / speed


def _at_work(folder: Path, logs: Path) -> bool:
    """Whether a process holds the run's lock, or, where locks do not reach, wrote metrics lately."""
    lock = folder / ".lock"
    if lock.is_file():
        with open(lock, encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    metrics = logs / "metrics.csv"
    elsewhere = lock.is_file() and not lock.read_text().endswith(f" on {socket.gethostname()}")
    return elsewhere and metrics.is_file() and time.time() - metrics.stat().st_mtime < RECENT


def _evaluation(experiment: Experiment, run: Run, evaluation: Evaluation) -> EvaluationState:
    record = experiment.evaluation_record(run, evaluation)
    per_task = experiment.config.evaluation.episodes_per_task
    if record.is_file():
        content = read_sealed(record)
        outcomes = content["outcomes"]
        return EvaluationState(
            evaluation.condition,
            content["episodes"],
            content["episodes"],
            outcomes.get("success", 0),
            True,
        )
    outcomes = Counter(_journal(record.with_name("episodes.journal")))
    tasks = experiment.config.evaluation.tasks or _tasks(experiment)
    return EvaluationState(
        evaluation.condition,
        outcomes.total(),
        per_task * len(tasks),
        outcomes["success"],
        False,
    )


def _journal(path: Path) -> list[str]:
    """Outcomes of the episodes that are done."""
    outcomes = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                outcomes.append(json.loads(line)["result"]["outcome"])
            except (ValueError, KeyError):
                break
    return outcomes


def _tasks(experiment: Experiment) -> list[str]:
    store = experiment.root / "data/.prepared" / experiment.store.name / "prepared.json"
    return [task["name"] for task in read_sealed(store)["tasks"]] if store.is_file() else []
