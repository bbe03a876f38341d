"""MLflow: a server, or SQLite in the project's folder, which `mlflow ui` shows at once."""

import fcntl
import getpass
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from vla.files.atomic import atomic_path
from vla.tracking.tracker import Row, TrackedRun, Tracker, mlflow_address

CHUNK = 50  # rows a request; MLflow takes 1,000 metrics
PARAMETERS = 100  # a request
LONGEST = 6000  # characters of a parameter's value


class MlflowTracker(Tracker):
    """One MLflow run a training run, found again by its key."""

    def start(self, run: TrackedRun) -> int:
        address = _without_credentials(mlflow_address(run.settings))
        # A server that is away must not be asked for minutes on end.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        mine = f"tags.`vla.key` = '{run.key}'"
        if address:
            self.client = MlflowClient(address)
            experiment = self._experiment(run, None)
            # On a group's server, someone else may have trained the same run.
            mine += f" and tags.`mlflow.user` = '{_user()}'"
        else:
            # Two processes that create the database, or an experiment in it, would disturb each other.
            with open(run.root / ".mlflow.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                database = run.root / "mlflow.db"
                if not database.exists():
                    _create(database)
                self.client = MlflowClient(f"sqlite:///{database}")
                artefacts = (run.root / "mlruns" / run.experiment).as_uri()
                experiment = self._experiment(run, artefacts)
        runs = self.client.search_runs([experiment], mine)
        if runs:
            self.run_id, held = runs[0].info.run_id, runs[0].data.params
            self.client.update_run(self.run_id, "RUNNING")
        else:
            tags = {"mlflow.note.content": run.description, "mlflow.user": _user(), **run.tags}
            created = self.client.create_run(experiment, tags=tags, run_name=run.name)
            self.run_id, held = created.info.run_id, {}
        parameters = [
            Param(name, str(value)[:LONGEST])
            for name, value in run.parameters.items()
            if name not in held  # all are, unless the server went away meanwhile
        ]
        for first in range(0, len(parameters), PARAMETERS):
            self.client.log_batch(self.run_id, params=parameters[first : first + PARAMETERS])
        history = self.client.get_metric_history(self.run_id, "seconds") if runs else []
        return max((point.step for point in history), default=0)

    def _experiment(self, run: TrackedRun, artefacts: str | None) -> str:
        """The MLflow experiment of that name, made where there is none. `artefacts`: where a new one
        would keep files; a server knows that itself."""
        found = self.client.get_experiment_by_name(run.experiment)
        if not found:
            tags = {"mlflow.experimentKind": "custom_model_development"}  # of the UI
            try:
                return self.client.create_experiment(run.experiment, artefacts, tags)
            except MlflowException:
                found = self.client.get_experiment_by_name(run.experiment)
                if not found:  # otherwise somebody else made it at the same time
                    raise
        return found.experiment_id

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


def _user() -> str:
    """Who runs it, as MLflow shows it; a user number that has no name stays a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


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
