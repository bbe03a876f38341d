"""The experiment database: built from configurations and records, never the source of anything.

`results/experiments.sqlite` has one row an experiment and one a run; delete it and it is built anew.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vla.config.outcome import DrawnFrom, Outcome
from vla.errors import UserError
from vla.files.atomic import atomic_path
from vla.knowledge.conclusions import Conclusion, conclude, present_results, unjudged, weigh
from vla.knowledge.status import stopped_early, training_at_work
from vla.plan.deployment import Deployment
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.plan.reading import experiment_names, load_experiment
from vla.plan.sections import changes, flat
from vla.records.attempts import Attempt, read_attempts
from vla.records.evaluation import EvaluationRecord
from vla.records.events import read_events
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.statistics.counts import wilson
from vla.statistics.rates import describe, verdict

Row = dict[str, Any]
HOST_THEN_CONDA = (False, True)

EXPERIMENTS = (
    "experiment", "outcome", "basis", "drawn_from", "success", "rate", "low", "high", "episodes", "crashes", "seeds",
    "target", "verdict", "hypothesis", "findings", "next_steps", "parent", "differences", "dataset",
    "runs", "finished_runs", "gpu_hours", "first_started", "last_finished",
)  # fmt: skip
RATES = tuple(
    f"{condition}_{what}"
    for condition in ("instructed", "held_out", "no_instruction")
    for what in ("success", "low", "high", "episodes", "crashes")
)
RUNS = (
    "experiment", "run", "key", "seed", "state", "started", "finished", "attempts", "events",
    "training_seconds", "gpu_hours", "final_loss", *RATES, "parameters", "batch_size",
    "learning_rate", "num_steps", "dataset", "dataset_content", "git_commit", "uncommitted_files",
    "deployment", "environment_lock", "python", "pytorch", "cuda", "hardware", "host",
    "policy_sha256",
)  # fmt: skip


def database_path(root: Path) -> Path:
    return root / "results/experiments.sqlite"


def build_database(root: Path) -> Path:
    """Read every experiment and every run; write the database in one piece."""
    runs = sorted(read_runs(root), key=lambda row: (row["experiment"], row["started"], row["run"]))
    names = experiment_names(root)
    plans = plans_here(root, names, HOST_THEN_CONDA)
    experiments = [_experiment_row(root, name, runs, plans) for name in names]
    path = database_path(root)
    with atomic_path(path) as temporary:
        connection = sqlite3.connect(temporary)
        with connection:
            _write(connection, "experiments", EXPERIMENTS, experiments)
            _write(connection, "runs", RUNS, runs)
        connection.close()
    return path


def read_table(root: Path, table: str) -> list[Row]:
    """Rows of `experiments` or `runs`."""
    connection = sqlite3.connect(database_path(root))
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]  # noqa: S608 - one of two names
    connection.close()
    return rows


def read_runs(root: Path) -> Iterator[Row]:
    """A row for each run that was ever begun, finished or not."""
    stopped: dict[Path, set[str]] = {}
    for folder in root.glob("experiments/*/logs/seed*/"):
        experiment = folder.parents[1]
        if experiment not in stopped:
            stopped[experiment] = stopped_early(experiment)
        results = experiment / "results" / folder.name
        attempts = read_attempts(folder / "attempts.jsonl", folder / "metrics.csv")
        seed, _, key = folder.name.removeprefix("seed").partition("-")
        row: Row = {
            "experiment": experiment.name,
            "run": folder.name,
            "key": key,
            "seed": int(seed),
            "state": _attempted(experiment, folder.name, attempts, stopped[experiment]),
            "started": attempts[0].started if attempts else "",
            "attempts": len(attempts),
            "events": "; ".join(
                f"{event.kind} at step {event.step}"
                for event in read_events(folder / "events.jsonl")
            ),
        }
        try:
            record = RunRecord.read(results / "run.json")
        except UserError:
            record = None
        yield row | (_of_record(record) if record else _of_attempts(attempts)) | _rates(results)


def _attempted(experiment: Path, run: str, attempts: tuple[Attempt, ...], stopped: set[str]) -> str:
    """The state of a run that has no record yet."""
    if run in stopped and not training_at_work(experiment, run):
        return "stopped early"
    state = attempts[-1].outcome.partition(":")[0] if attempts else "waiting"
    return "training" if state == "killed" and training_at_work(experiment, run) else state


def _of_record(record: RunRecord) -> Row:
    environment, hardware, training = (
        record.environment,
        record.hardware,
        record.identity.get("training", {}),  # an imported policy has none
    )
    gpus = ", ".join(gpu.name for gpu in hardware.gpus)
    return {
        "state": "finished",
        "started": record.started,
        "finished": record.finished,
        "training_seconds": record.training_seconds,
        "gpu_hours": record.gpu_hours,
        "final_loss": record.final_loss,
        "parameters": record.parameters,
        "batch_size": training.get("batch_size"),
        "learning_rate": training.get("learning_rate"),
        "num_steps": training.get("num_steps"),
        "dataset": ", ".join(f"{d.name} {d.version}" for d in record.datasets),
        "dataset_content": ", ".join(d.content for d in record.datasets),
        "git_commit": record.git.commit,
        "uncommitted_files": len(record.git.dirty),
        "deployment": environment.deployment,
        "environment_lock": environment.lock or "",
        "python": environment.python,
        "pytorch": environment.torch.version if environment.torch else "",
        "cuda": environment.torch.cuda if environment.torch else None,
        "hardware": gpus if record.device.startswith("cuda") else hardware.cpu,
        "host": hardware.hostname,
        "policy_sha256": record.files.policy.sha256,
    }


def _of_attempts(attempts: tuple[Attempt, ...]) -> Row:
    return {
        "finished": attempts[-1].ended if attempts else "",
        "training_seconds": sum(attempt.seconds for attempt in attempts),
    }


def _rates(results: Path) -> Row:
    """Success by condition, with Wilson's interval; crashed episodes are no failures."""
    row: Row = {}
    for path in results.glob("*/evaluation.json"):
        try:
            record = EvaluationRecord.read(path)
        except UserError:
            continue
        outcomes = record.outcomes
        good, bad = outcomes.get("success", 0), outcomes.get("failure", 0)
        low, high = wilson(good, good + bad)
        name = record.condition
        row |= {
            f"{name}_success": good / (good + bad) if good + bad else None,
            f"{name}_low": low,
            f"{name}_high": high,
            f"{name}_episodes": good + bad,
            f"{name}_crashes": outcomes.get("crash", 0),
        }
    return row


def _experiment_row(root: Path, name: str, runs: list[Row], plans: list[Plan]) -> Row:
    """An experiment as it is configured now, with what its present runs gave."""
    path = root / "experiments" / name / "config.yaml"
    mine = [run for run in runs if run["experiment"] == name]
    row: Row = {"experiment": name, "runs": len(mine)}
    row["finished_runs"] = sum(run["state"] == "finished" for run in mine)
    row["gpu_hours"] = sum(run.get("gpu_hours") or 0 for run in mine)
    row["first_started"] = min((run["started"] for run in mine), default="")
    row["last_finished"] = max((run.get("finished") or "" for run in mine), default="")
    try:
        config = load_experiment(path)
    except UserError as error:
        return row | {"outcome": "invalid configuration", "hypothesis": error.problem}
    about = config.experiment
    row |= {
        "outcome": about.outcome.status,
        "hypothesis": about.hypothesis,
        "next_steps": "\n".join(about.outcome.next_steps),
        "parent": about.parent,
        "differences": "\n".join(_differences(root, name, about.parent)),
        "target": about.targets.success_rate,
        "dataset": ", ".join(config.data.mixture or filter(None, [config.data.dataset])),
    }
    experiment = find_finished(name, plans)
    row |= _conclusion(about.outcome, experiment)
    if experiment:
        summary = SummaryRecord.read(experiment.document("summary", "summary.json"))
        rates = summary.conditions["instructed"]
        rate = rates.overall
        row |= {
            "success": describe(rate),
            "rate": rate.rate,
            "low": rate.low,
            "high": rate.high,
            "episodes": rate.episodes,
            "crashes": rate.crashes,
            "seeds": len(rates.by_seed),
        }
        target = about.targets.success_rate
        row["verdict"] = "" if target is None else verdict(rate.low, rate.high, target)
    return row


def plans_here(root: Path, names: list[str], deployments: tuple[bool, ...]) -> list[Plan]:
    """A plan for those experiments, listed or not, with each of `deployments` (whether with conda)."""
    asked = {"experiments": names}
    return [Plan(root, asked, Deployment.here(conda)) for conda in deployments] if names else []


def find_finished(name: str, plans: list[Plan]) -> Experiment | None:
    """An experiment as it is configured now, from the first plan under which it has a summary.

    What was made on the host is known only where the host's packages are: not in a locked environment.
    """
    for plan in plans:
        try:
            experiment = plan.find_experiment(name)
            SummaryRecord.read(experiment.document("summary", "summary.json"))
        except UserError:
            continue
        return experiment
    return None


def find_results(root: Path, name: str, use_conda: bool) -> DrawnFrom | None:
    """What a conclusion on an experiment would now be drawn from; None while it is not finished.

    `use_conda`: only what was made in locked environments; else what was made on the host comes first.
    """
    plans = plans_here(root, [name], (True,) if use_conda else HOST_THEN_CONDA)
    experiment = find_finished(name, plans)
    return present_results(experiment) if experiment else None


def _conclusion(outcome: Outcome, experiment: Experiment | None) -> Row:
    """What was concluded, beside the results of a finished `experiment`; records or claims that cannot
    be read leave the findings without verdicts."""
    conclusion = weigh(outcome, None, unjudged(outcome))
    if experiment:
        try:
            conclusion = conclude(experiment)
        except UserError as error:
            statement = f"cannot be held against the results here: {error.problem}"
            conclusion = Conclusion("no results here", statement, unjudged(outcome))
    return {
        "basis": conclusion.basis,
        "drawn_from": conclusion.statement,
        "findings": "\n".join(map(str, conclusion.findings)),
    }


def _differences(root: Path, name: str, parent: str) -> list[str]:
    sections = {"model", "training", "data", "evaluation"}
    try:
        one, other = (
            flat(load_experiment(root / "experiments" / n / "config.yaml").model_dump(
                mode="json", include=sections))
            for n in (parent, name)
        )  # fmt: skip
    except UserError:
        return []
    return changes(one, other) if parent else []


def _write(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: list[Row]
) -> None:
    connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
    marks = ", ".join("?" for _ in columns)
    connection.executemany(
        f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - marks
        [[row.get(name) for name in columns] for row in rows],
    )
