"""How far each run is, read from its files: works for jobs on any machine that shares the folder."""

import fcntl
import json
import socket
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from vla.data.places import store_record
from vla.errors import UserError
from vla.files.sealed import read_json
from vla.plan.items import Evaluation, Experiment, Run
from vla.plan.sweeps import Combination, Sweep, parts_of
from vla.records.attempts import read_attempts
from vla.records.evaluation import EvaluationRecord
from vla.records.events import Event, read_events
from vla.records.halving import HalvingRecord
from vla.records.prepared import PreparedRecord
from vla.records.rung import EARLY
from vla.statistics.ranking import describe_stop
from vla.tracking.metrics import numbers, read_metrics

RECENT = 120.0  # seconds: a file that was written so lately has a job behind it
AT_WORK = ("training", "evaluating")  # states
SPEED_ROWS = 20  # rows of metrics that tell the present speed
DISK_ROWS = 200  # rows that tell how fast the disk fills: longer, as checkpoints come seldom


@dataclass(frozen=True)
class EvaluationState:
    """One condition's episodes. `planned` is 0 while nobody knows the number of tasks."""

    condition: str
    done: int
    planned: int
    successes: int
    finished: bool
    at_work: bool = False


@dataclass(frozen=True)
class RunState:
    """One run. `state`: waiting, training, stopped, failed, killed, evaluating, trained, finished, and
    in a sweep stopped early, with `stop` in words.

    `step`, `steps`: of training; `losses`: those of the metrics file; `seconds_left`: of training,
    at its present speed; `disk`: GB free, and GB by which that falls an hour, while it trains;
    `why`: how the last attempt ended, where it did not finish; `label`: of its combination in a sweep.
    """

    experiment: str
    run: str
    seed: int
    state: str
    step: int
    steps: int
    losses: tuple[float, ...]
    seconds_left: float | None
    disk: tuple[float, float] | None
    evaluations: tuple[EvaluationState, ...]
    events: tuple[Event, ...] = ()
    why: str = ""
    label: str = ""
    stop: str = ""

    @property
    def name(self) -> str:
        """'seed 42', 'learning_rate=0.001, width=64, seed 42'."""
        return f"{self.label}, seed {self.seed}" if self.label else f"seed {self.seed}"

    def describe(self) -> str:
        """'seed 42: stopped at step 900 of 1400: SIGTERM'."""
        if self.stop:
            return f"{self.name}: {self.stop}"
        text = f"{self.name}: {self.state}"
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
    states = [run_state(part, run) for part in parts_of(experiment) for run in part.runs]
    stops = _stops(experiment) if isinstance(experiment, Sweep) else {}
    return [
        replace(state, state="stopped early", stop=stops[state.run], why="")
        if state.run in stops
        else state
        for state in states
    ]


def _stops(sweep: Sweep) -> dict[str, str]:
    """Name of each run that was stopped early -> when, and how it stood."""
    return {
        run: describe_stop(decision.step, one.loss, one.rank, len(decision.candidates))
        for decision in sweep.decisions()
        for one in decision.candidates
        if not one.goes_on
        for run in one.runs
    }


def stopped_early(experiment: Path) -> set[str]:
    """Names of the runs of a sweep, in the folder `experiment`, that some decision ended before their last step."""
    names = set()
    for path in experiment.glob("results/halving-*/halving.json"):
        with suppress(UserError):  # of a damaged one Snakemake tells
            candidates = HalvingRecord.read(path).candidates
            names |= {run for one in candidates if not one.goes_on for run in one.runs}
    return names


def run_state(experiment: Experiment, run: Run) -> RunState:
    evaluations = tuple(_evaluation(experiment, run, e) for e in run.evaluations)
    steps = experiment.config.training.num_steps
    state = _state(experiment.folder, run.name, steps, evaluations)
    label = experiment.label if isinstance(experiment, Combination) else ""
    return replace(state, label=label)


def other_states(root: Path, known: list[RunState]) -> list[RunState]:
    """Runs at work that are not among `known`: their configuration was edited since they began, or
    they run in other environments or on another kind of device than are asked for here.
    """
    names = {(state.experiment, state.run) for state in known}
    found = []
    for logs in sorted(root.glob("experiments/*/logs/seed*/")):
        folder = logs.parents[1]
        resolved = folder / "results" / logs.name / "config.resolved.json"
        if (folder.name, logs.name) not in names and resolved.is_file():
            steps = read_json(resolved)["training"].get("num_steps", 0)
            state = _state(folder, logs.name, steps, _evaluations_at_work(resolved.parent))
            found += [state] if state.state in AT_WORK else []
    return found


def at_work(folder: Path, heartbeat: Path) -> bool:
    """Whether a process holds the lock of `folder`, or, where locks do not reach, wrote lately."""
    lock = folder / ".lock"
    if not lock.is_file():
        return False
    with open(lock, encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    elsewhere = not lock.read_text().endswith(f" on {socket.gethostname()}")
    return elsewhere and heartbeat.is_file() and time.time() - heartbeat.stat().st_mtime < RECENT


def training_at_work(folder: Path, run: str) -> bool:
    """Whether a run of the experiment in `folder` is being trained."""
    return at_work(folder / "checkpoints" / run, folder / "logs" / run / "metrics.csv")


def _state(
    folder: Path, run: str, steps: int, evaluations: tuple[EvaluationState, ...]
) -> RunState:
    logs = folder / "logs" / run
    rows = [numbers(row) for row in read_metrics(logs / "metrics.csv")]
    attempts = read_attempts(logs / "attempts.jsonl", logs / "metrics.csv")
    trained = (folder / "results" / run / "run.json").is_file()
    state, why = "waiting", ""
    if trained:
        done = evaluations and all(e.finished for e in evaluations)
        working = any(e.at_work for e in evaluations)
        state = "finished" if done else "evaluating" if working else "trained"
    elif attempts:
        why = attempts[-1].outcome
        state = why.partition(":")[0]
        if state == "killed" and training_at_work(folder, run):
            state, why = "training", ""
        if why.startswith(f"stopped: {EARLY}"):  # it goes on, or was stopped: others decide that
            state, why = "waiting", ""
    return RunState(
        experiment=folder.name,
        run=run,
        seed=int(run.removeprefix("seed").partition("-")[0]),
        state=state,
        step=steps if trained else int(rows[-1]["step"]) if rows else 0,
        steps=steps,
        losses=tuple(row["loss"] for row in rows if "loss" in row),  # an imported policy has none
        seconds_left=_seconds_left(rows, steps) if state == "training" else None,
        disk=_disk(rows) if state == "training" else None,
        evaluations=evaluations,
        events=read_events(logs / "events.jsonl"),
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


def _disk(rows: list[dict[str, float]]) -> tuple[float, float] | None:
    newest = [row for row in rows[-DISK_ROWS:] if "disk_free_gb" in row]
    if not newest or newest[-1]["seconds"] <= newest[0]["seconds"]:
        return None
    fallen = newest[0]["disk_free_gb"] - newest[-1]["disk_free_gb"]
    hours = (newest[-1]["seconds"] - newest[0]["seconds"]) / 3600
    return newest[-1]["disk_free_gb"], fallen / hours


def _evaluation(experiment: Experiment, run: Run, evaluation: Evaluation) -> EvaluationState:
    record = experiment.evaluation_record(run, evaluation)
    per_task = experiment.config.evaluation.episodes_per_task
    if record.is_file():
        content = EvaluationRecord.read(record)
        return EvaluationState(
            evaluation.condition,
            content.episodes,
            content.episodes,
            content.outcomes.get("success", 0),
            finished=True,
        )
    tasks = experiment.config.evaluation.tasks or _tasks(experiment)
    return _unfinished(record.parent, evaluation.condition, per_task * len(tasks))


def _evaluations_at_work(results: Path) -> tuple[EvaluationState, ...]:
    """Those of a run that have begun, in any number of episodes."""
    folders = sorted(path.parent for path in results.glob("*/episodes.journal"))
    states = [_unfinished(folder, folder.name.rpartition("-")[0], 0) for folder in folders]
    return tuple(state for state in states if state.at_work)


def _unfinished(folder: Path, condition: str, planned: int) -> EvaluationState:
    journal = folder / "episodes.journal"
    outcomes = Counter(_journal(journal))
    return EvaluationState(
        condition,
        outcomes.total(),
        planned,
        outcomes["success"],
        finished=False,
        at_work=at_work(folder, journal),
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
    """Names of the tasks of all its stores; none while one is not prepared."""
    records = [store_record(experiment.root, store.name) for store in experiment.stores]
    if not all(record.is_file() for record in records):
        return []
    tasks = [task.name for record in records for task in PreparedRecord.read(record).tasks]
    return list(dict.fromkeys(tasks))
