"""A group's servers: used by settings alone, away in the middle of the work, and back."""

import csv
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from conftest import DATABASE_PASSWORD, KEY_ID
from mlflow.tracking import MlflowClient
from servers import wait_for

from tests.project import FROM_OUTSIDE, SECRET, Project
from vla.plan.plan import Plan
from vla.records.fetch import FetchRecord
from vla.records.run import RunRecord

DATASET = "data/metaworld-4tasks"
LARGEST = 1_000_000  # bytes that a connection gets at first: all files, but for the largest


def run(project: Project, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=project.root,
        env=os.environ | FROM_OUTSIDE | project.variables | {"PYTHONPATH": str(project.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def printed_by(project: Project, *arguments: str) -> tuple[int, str]:
    process = run(project, *arguments)
    printed, _ = process.communicate(timeout=600)
    return process.returncode, printed


def cached(project: Project) -> list[Path]:
    """Files that came, and not DVC's list of them."""
    return list(project.root.glob(f".dvc/cache/files/md5/*/{'?' * 30}"))


def record_of_run(project: Project) -> str:
    plan = Plan(project.root, {"experiments": ["b"], "comparisons": []})
    experiment = plan.find_experiment("b")
    return experiment.run_record(experiment.runs[0]).relative_to(project.root).as_posix()


def in_the_file(project: Project) -> dict[str, list[tuple[int, float]]]:
    with open(project.one("experiments/b/logs/seed1-*/metrics.csv"), newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = ("loss", "learning_rate", "seconds")
    return {c: [(int(row["step"]), float(row[c])) for row in rows] for c in columns}


def on_the_server(port: int) -> tuple[object, dict[str, list[tuple[int, float]]]]:
    client = MlflowClient(f"http://127.0.0.1:{port}")
    experiment = client.get_experiment_by_name("b")
    (found,) = client.search_runs([experiment.experiment_id])
    columns = ("loss", "learning_rate", "seconds")
    history = {c: client.get_metric_history(found.info.run_id, c) for c in columns}
    return found, {c: [(p.step, p.value) for p in points] for c, points in history.items()}


def test_storage_that_goes_away_is_named_and_fetching_goes_on(project, storage):
    files = f"{DATASET}/*/*/*"
    state = "data/.state/metaworld-4tasks/1.fetched.json"
    storage.start(limit=LARGEST)
    fetching = run(project, "snakemake", state)
    wait_for("all files but one", lambda: len(cached(project)) >= 6)
    storage.cut()
    printed, _ = fetching.communicate(timeout=600)
    assert fetching.returncode == 1
    assert "from the DVC remote group (s3://vla/datasets)" in printed, printed
    assert "docs/services.md" in printed
    assert "Traceback" not in printed
    assert not (project.root / state).exists()
    assert not list(project.root.glob(f"{files}/*.mp4"))
    here = [path.stat().st_size for path in cached(project)]
    assert len(here) == 6, "what came before stays"

    storage.start()
    code, printed = printed_by(project, "snakemake", state)
    assert code == 0, printed
    assert len(FetchRecord.read(project.root / state).pulled) == 7
    whole = sum(
        path.stat().st_size for path in project.root.glob(f"{DATASET}/**/*") if path.is_file()
    )
    assert storage.passed < whole - sum(here) + 100_000, "what was here was not brought again"
    storage.cut()


def test_server_that_goes_away_while_training_gets_the_rest_later(project, mlflow):
    wait = project.root / "experiments/b/wait"
    wait.touch()
    mlflow.start()
    training = run(project, "snakemake", record_of_run(project))
    wait_for("rows on the server", lambda: _rows(mlflow.port) == 4, patience=300)
    mlflow.stop()
    wait.unlink()
    printed, _ = training.communicate(timeout=600)
    assert training.returncode == 0, printed
    assert "mlflow stopped" in printed
    assert "mlflow did not get everything: vla sync sends it." in printed
    record = RunRecord.read(project.root / record_of_run(project))
    assert [step for step, _ in in_the_file(project)["loss"]] == [1, 2, 3, 4, 5, 6]

    code, printed = printed_by(project, "vla", "sync")
    assert code == 1, printed
    assert "b seed1-" in printed
    mlflow.start()
    code, printed = printed_by(project, "vla", "sync")
    assert code == 0, printed
    assert "mlflow holds everything" in printed
    found, curves = on_the_server(mlflow.port)
    assert curves == in_the_file(project)
    assert (found.info.status, found.data.tags["vla.key"]) == ("FINISHED", record.key)
    assert float(found.data.tags["vla.final_loss"]) == record.final_loss
    assert printed_by(project, "vla", "sync") == (0, "Trackers hold everything.\n")


def _rows(port: int) -> int:
    try:
        return len(on_the_server(port)[1]["seconds"])
    except (AttributeError, ValueError):  # its experiment or run is not there yet
        return 0


def test_no_credential_is_in_anything_that_was_written(project, mlflow, storage):
    storage.start()
    code, printed = printed_by(project, "snakemake")
    assert code == 0, printed
    code, printed = printed_by(project, "vla", "package", "b")
    assert code == 0, printed
    (package,) = set(project.root.rglob("*.zip"))
    texts = {
        path: path.read_bytes()
        for path in project.root.rglob("*")
        # DVC's own file of credentials, which git and packages leave out, is where they belong.
        if path.is_file() and path != project.root / ".dvc/config.local"
    }
    with zipfile.ZipFile(package) as packed:
        assert ".dvc/config.local" not in str(packed.namelist())
        texts |= {Path("package", name): packed.read(name) for name in packed.namelist()}
    assert len(texts) > 200
    for secret in (SECRET, KEY_ID, DATABASE_PASSWORD):
        holding = [str(path) for path, text in texts.items() if secret.encode() in text]
        assert not holding, holding
