"""MLflow: a server, or SQLite in the project's folder, which `mlflow ui` shows at once."""

import fcntl
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from vla.files.atomic import atomic_path
from vla.tracking.tracker import Row, TrackedRun, Tracker

CHUNK = 50  # rows a request; MLflow takes 1,000 metrics
PARAMETERS = 100  # a request
LONGEST = 6000  # characters of a parameter's value


class MlflowTracker(Tracker):
    """One MLflow run a training run, found again by its key."""

    def start(self, run: TrackedRun) -> int:
        database = run.root / "mlflow.db"
        address = _without_credentials(
            os.environ.get("MLFLOW_TRACKING_URI") or run.settings["mlflow_uri"]
        )
        # A server that is away must not be asked for minutes on end.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        # Two processes that create the database, or an experiment in it, would disturb each other.
        with open(run.root / ".mlflow.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not address and not database.exists():
                _create(database)
            self.client = MlflowClient(address or f"sqlite:///{database}")
            found = self.client.get_experiment_by_name(run.experiment)
            experiment = (
                found.experiment_id
                if found
                else self.client.create_experiment(
                    run.experiment,
                    artifact_location=(run.root / "mlruns" / run.experiment).as_uri(),
                    tags={"mlflow.experimentKind": "custom_model_development"},  # of the UI
                )
            )
        runs = self.client.search_runs([experiment], f"tags.`vla.key` = '{run.key}'")
        if runs:
            self.run_id = runs[0].info.run_id
            self.client.update_run(self.run_id, "RUNNING")
            history = self.client.get_metric_history(self.run_id, "seconds")
            return max((point.step for point in history), default=0)
        tags = {"mlflow.note.content": run.description, **run.tags}
        self.run_id = self.client.create_run(experiment, tags=tags, run_name=run.name).info.run_id
        parameters = [Param(n, str(v)[:LONGEST]) for n, v in run.parameters.items()]
        for first in range(0, len(parameters), PARAMETERS):
            self.client.log_batch(self.run_id, params=parameters[first : first + PARAMETERS])
        return 0

    def log(self, rows: list[Row]) -> None:
        now = int(time.time() * 1000)
        for first in range(0, len(rows), CHUNK):
            # `seconds` goes last: what holds it holds its whole row.
            metrics = [
                Metric(name, value, now, int(row["step"]))
                for row in rows[first : first + CHUNK]
                for name, value in row.items()
                if name != "step"
            ]
            self.client.log_batch(self.run_id, metrics=metrics)

    def finish(self, status: str, facts: dict[str, Any]) -> None:
        tags = [RunTag(f"vla.{name}", str(value)) for name, value in facts.items()]
        self.client.log_batch(self.run_id, tags=tags)
        self.client.set_terminated(self.run_id, status)


def _create(database: Path) -> None:
    """A new database, whole or absent: MLflow makes its tables one by one, and can never go on with
    those that a killed process has begun."""
    with atomic_path(database) as temporary:
        MlflowClient(f"sqlite:///{temporary}").search_experiments()


def _without_credentials(address: str) -> str:
    """A server's address, its user and password moved to where MLflow's errors do not quote them."""
    if not address.startswith("http"):
        return address
    parts = urlsplit(address)
    credentials, _, server = parts.netloc.rpartition("@")
    if credentials:
        user, _, password = credentials.partition(":")
        os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
        os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
    return parts._replace(netloc=server).geturl()
