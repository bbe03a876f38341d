"""MLflow, TensorBoard and W&B hold the very curve of the metrics file, after a kill and a resume."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from mlflow.tracking import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray
from wandb.proto.wandb_internal_pb2 import Record
from wandb.sdk.internal.datastore import DataStore

from tests.project import ROOT, SECRET
from tests.sharing import made_once
from vla.tracking import mirror
from vla.tracking.metrics import MetricsLog
from vla.tracking.mirror import Guarded
from vla.tracking.sending import send
from vla.tracking.tracker import TrackedRun, Tracker
from vla.tracking.unsent import find_unsent, read_unsent, tracking_lock

# One attempt at a run: logs rows of ugly numbers, and is killed after the last one, or ends.
ATTEMPT = """
import os, signal, sys, time
from pathlib import Path
from vla.tracking.metrics import COLUMNS, MetricsLog
from vla.tracking.mirroring import Mirroring
from vla.tracking.tracker import TrackedRun

root, first, last, end = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
settings = {"mlflow_uri": sys.argv[5], "wandb": "offline", "wandb_project": "vla"}
run = TrackedRun(
    root=root, logs=root / "logs", experiment="e", name="seed1-k", key="k", description="why",
    parameters={"training.learning_rate": 0.001}, tags={"vla.key": "k"}, settings=settings,
)
metrics = MetricsLog(run.logs)
with Mirroring(run, ["tensorboard", "mlflow", "wandb"]) as trackers:
    for step in range(first, last + 1):
        row = {name: step / (3 + i) for i, name in enumerate(COLUMNS)} | {"step": step}
        del row["gpu_percent"], row["gpu_memory_gb"]
        metrics.log(row)
    if end != "finish":
        time.sleep(float(end))
        os.kill(0 if sys.argv[6] == "group" else os.getpid(), signal.SIGKILL)
    trackers.facts["final_loss"] = 0.5
"""


def attempt(
    root: Path, first: int, last: int, end: str = "finish", uri: str = "", whom: str = "process"
):
    process = begin(root, first, last, end, uri, whom)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def begin(root: Path, first: int, last: int, end: str, uri: str = "", whom: str = "process"):
    command = [sys.executable, "-c", ATTEMPT, root, first, last, end, uri, whom]
    variables = {"PYTHONPATH": str(ROOT), "WANDB_API_KEY": SECRET * 2, "MY_PASSWORD": SECRET}
    return subprocess.Popen(
        list(map(str, command)),
        cwd=root,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def held(root: Path, column: str) -> list[tuple[int, float]]:
    with open(root / "logs/metrics.csv", newline="") as stream:
        return [(int(row["step"]), float(row[column])) for row in csv.DictReader(stream)]


def in_mlflow(root: Path, column: str) -> list[tuple[int, float]]:
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    experiment = client.get_experiment_by_name("e").experiment_id
    (run,) = client.search_runs([experiment])
    return [(p.step, p.value) for p in client.get_metric_history(run.info.run_id, column)]


def in_tensorboard(root: Path, column: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(root / "logs/tensorboard"), size_guidance={"tensors": 0})
    points = events.Reload().Tensors(f"train/{column}")
    return [(point.step, make_ndarray(point.tensor_proto).item()) for point in points]


def in_wandb(root: Path, column: str) -> list[tuple[int, float]]:
    (file,) = root.glob("logs/wandb/offline-run-*/*.wandb")
    store, points = DataStore(), []
    store.open_for_scan(str(file))
    while content := store.scan_data():
        record = Record()
        record.ParseFromString(content)
        values = {
            item.key or ".".join(item.nested_key): item.value_json for item in record.history.item
        }
        if f"train/{column}" in values:
            points.append((int(values["_step"]), float(values[f"train/{column}"])))
    return points


class Wavering(Tracker):
    """Away at the calls that `away` counts; then gives up what it was given meanwhile, as servers do."""

    away: ClassVar[set[int]] = set()
    calls: ClassVar[int] = 0
    held: ClassVar[list[int]] = []
    ended: ClassVar[list[str]] = []

    def start(self, run: TrackedRun) -> int:
        self._answer()
        return max(self.held, default=0)

    def log(self, rows: list[dict[str, float]]) -> None:
        self._answer()
        self.held.extend(int(row["step"]) for row in rows)

    def finish(self, status: str, facts: dict[str, object]) -> None:
        self._answer()
        self.ended.append(status)

    def _answer(self) -> None:
        Wavering.calls += 1
        if self.calls in self.away:
            raise ConnectionError("away")


@pytest.fixture
def wavering(tmp_path, monkeypatch) -> Guarded:
    """A run of five rows, and its tracker."""
    for name, value in {"calls": 0, "held": [], "ended": []}.items():
        monkeypatch.setattr(Wavering, name, value)
    monkeypatch.setitem(mirror.TRACKERS, "wavering", (__name__, "Wavering"))
    metrics = MetricsLog(tmp_path / "experiments/e/logs/seed1-k")
    run = TrackedRun(
        **{"root": tmp_path, "logs": metrics.path.parent, "experiment": "e", "name": "seed1-k"},
        **{"key": "k", "description": "why", "parameters": {}, "tags": {}},
        settings={"mlflow_uri": "http://me:secret@server:1/x?token=y"},
    )
    for step in range(1, 6):
        metrics.log({"step": step, "seconds": step / 3})
    return Guarded("wavering", run)


@pytest.mark.parametrize("away", [{1}, {2}, {1, 2, 3}, {3}, {3, 4, 5, 7}])
def test_tracker_that_comes_back_holds_every_row_once(wavering, monkeypatch, capsys, away):
    monkeypatch.setattr(Wavering, "away", away)
    monkeypatch.setattr(mirror, "AGAIN", 0.0)
    for _ in range(4):
        wavering.copy()
    metrics = MetricsLog(wavering.run.logs)
    for step in (6, 7):
        metrics.log({"step": step, "seconds": step / 3})
    for _ in range(4):
        wavering.copy()
    wavering.finish("FINISHED", {})
    assert Wavering.held == [1, 2, 3, 4, 5, 6, 7]
    assert (Wavering.ended, wavering.problem) == (["FINISHED"], None)
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "wavering stopped: ConnectionError: away",
        "wavering is back, and holds all rows so far.",
    ]


def test_tracker_that_is_away_is_not_asked_all_the_time(wavering, monkeypatch):
    monkeypatch.setattr(Wavering, "away", {1})
    for _ in range(10):
        wavering.copy()
    assert Wavering.calls == 1
    wavering.finish("FINISHED", {})  # but once more at the end
    assert Wavering.held == [1, 2, 3, 4, 5]


def test_what_was_missed_is_sent_later(wavering, monkeypatch):
    run, root = wavering.run, wavering.run.root
    monkeypatch.setattr(Wavering, "away", set(range(1, 4)))
    reading, writing = os.pipe()
    os.write(writing, json.dumps({"status": "FAILED", "facts": {"loss": 1.0}}).encode() + b"\n")
    mirror.mirror(run, ["wavering"], mirror.Pipe(reading))
    os.close(writing)
    (note,) = find_unsent(root)
    assert b"secret" not in note.read_bytes()
    assert b"token" not in note.read_bytes()
    assert read_unsent(note, root)[0].settings["mlflow_uri"] == "http://server:1/x"
    with tracking_lock(run.logs):
        assert send(note, root).busy
    assert send(note, root).trackers == {"wavering": "ConnectionError: away"}
    assert note.exists(), "it was away yet"
    assert send(note, root).trackers == {"wavering": None}
    assert (Wavering.held, Wavering.ended) == ([1, 2, 3, 4, 5], ["FAILED"])
    assert find_unsent(root) == []


@pytest.mark.parametrize("whom", ["process", "group"])
def test_trackers_hold_the_curve_of_the_metrics_file_after_a_kill(tmp_path, whom):
    killed = attempt(tmp_path, 1, 40, end="2", whom=whom)
    assert killed.returncode == -signal.SIGKILL  # and its mirror may be at work yet
    finished = attempt(tmp_path, 30, 60)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    for column in ("loss", "learning_rate", "gradient_norm", "seconds"):
        expected = held(tmp_path, column)
        assert [step for step, _ in expected] == list(range(1, 61))
        assert in_mlflow(tmp_path, column) == expected
        assert in_tensorboard(tmp_path, column) == expected
        assert in_wandb(tmp_path, column) == expected


def test_database_whose_creation_was_killed_is_made_anew(tmp_path):
    killed = begin(tmp_path, 1, 3, end="600")
    while not any(path.stat().st_size for path in tmp_path.glob("*.db")):  # some tables are there
        assert killed.poll() is None
        time.sleep(0.001)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "mlflow.db").exists(), "a part of it is not called by its name"
    finished = attempt(tmp_path, 4, 6)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert in_mlflow(tmp_path, "loss") == held(tmp_path, "loss")
    assert not list(tmp_path.glob(".mlflow.*.db"))


@pytest.fixture(scope="module")
def tracked(tmp_path_factory) -> Path:
    """The folder of a run that ended well. Not to be changed."""

    def make(folder: Path) -> None:
        folder.mkdir()
        assert attempt(folder, 1, 3).returncode == 0

    return made_once(tmp_path_factory, "tracked", make)


def test_every_hyperparameter_the_commit_and_the_end_are_told(tracked):
    client = MlflowClient(f"sqlite:///{tracked}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert run.data.params == {"training.learning_rate": "0.001"}
    assert run.data.tags["vla.key"] == "k"
    assert run.data.tags["vla.final_loss"] == "0.5"
    assert (run.info.status, run.info.run_name) == ("FINISHED", "seed1-k")
    events = EventAccumulator(str(tracked / "logs/tensorboard")).Reload()
    text = make_ndarray(events.Tensors("configuration")[0].tensor_proto).item().decode()
    assert '"training.learning_rate": 0.001' in text


def test_no_secret_is_written(tracked):
    expect_no_secret(tracked)


def test_no_secret_of_a_server_that_is_away_is_written(tmp_path, monkeypatch):
    """MLflow's error quotes the address, and is told and logged."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{SECRET}@127.0.0.1:9")
    finished = attempt(tmp_path, 1, 3)
    assert finished.returncode == 0
    assert "mlflow stopped" in finished.stderr
    assert SECRET not in finished.stderr
    expect_no_secret(tmp_path)


def test_user_and_password_reach_the_server(tmp_path, monkeypatch):
    """From its address as from their variables."""
    seen = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(
            "MLFLOW_TRACKING_URI", f"http://me:p%40ss@127.0.0.1:{server.server_port}"
        )
        attempt(tmp_path, 1, 1)
        server.shutdown()
    assert seen[0] == f"Basic {b64encode(b'me:p@ss').decode()}"


def expect_no_secret(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_tracker_that_fails_says_so_once_and_harms_nothing(tmp_path):
    finished = attempt(tmp_path, 1, 5, uri="sqlite:////dev/null/mlflow.db")
    assert finished.returncode == 0
    assert finished.stderr.count("mlflow stopped") == 1
    assert "tracking.log" in finished.stderr
    assert in_tensorboard(tmp_path, "loss") == held(tmp_path, "loss")
    assert in_wandb(tmp_path, "loss") == held(tmp_path, "loss")
