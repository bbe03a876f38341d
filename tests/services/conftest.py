"""The servers, and a project of a group that uses them by settings alone."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from servers import SERVICES, Postgres, Relay, Server

from tests.project import ROOT, SECRET, Project

KEY_ID = "AKIA" + "MARKER0123456789"  # no key of anybody's
DATABASE_PASSWORD = "p0stgres-marker-that-must-not-leak"
REMOTE = "group"


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where servers keep what they have; PostgreSQL's user must be able to enter it."""
    with TemporaryDirectory(prefix="services-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def mlflow(folder) -> Iterator[Server]:
    """MLflow's server on PostgreSQL, not started."""
    database = Postgres(folder, DATABASE_PASSWORD)
    database.start()
    server = Server(
        folder,
        *(SERVICES / "mlflow", "server", "--backend-store-uri", database.address),
        *("--artifacts-destination", folder / "artefacts", "--host", "127.0.0.1"),
        *("--port", "{port}", "--workers", "1"),
    )
    yield server
    server.stop()
    database.stop()


@pytest.fixture(scope="session")
def storage(folder) -> Iterator[Relay]:
    """S3 storage with an empty bucket `vla`, and the way to it, closed."""
    server = Server(folder, SERVICES / "moto_server", "-H", "127.0.0.1", "-p", "{port}")
    server.start()
    create = (
        "import boto3, sys; boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1')"
    )
    create += ".create_bucket(Bucket='vla')"
    subprocess.run(
        [SERVICES / "python", "-c", create, f"http://127.0.0.1:{server.port}"],
        check=True,
        env={"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET},
    )
    relay = Relay(server.port)
    yield relay
    relay.cut()
    server.stop()


@pytest.fixture(scope="session")
def project(tmp_path_factory, mlflow, storage) -> Project:
    """Experiment `b`, whose dataset only the S3 storage has; what it runs tells the MLflow server.

    Tests go on with what those before have made.
    """
    project = Project.create(tmp_path_factory.mktemp("group") / "project")
    (project.root / ".venv-s3").symlink_to(ROOT / ".venv-s3")
    dvc(project, "remote", "add", REMOTE, "s3://vla/datasets")
    dvc(project, "remote", "modify", REMOTE, "endpointurl", f"http://127.0.0.1:{storage.port}")
    dvc(project, "remote", "modify", "--local", REMOTE, "access_key_id", KEY_ID)
    dvc(project, "remote", "modify", "--local", REMOTE, "secret_access_key", SECRET)
    dvc(project, "pull", "data/metaworld-4tasks.dvc")  # from where it is embedded
    storage.start()
    dvc(project, "push", "--remote", REMOTE, "data/metaworld-4tasks.dvc")
    storage.cut()
    for gone in ("data/metaworld-4tasks", "data/dvc-remote", ".dvc/cache"):
        shutil.rmtree(project.root / gone)
    registry = project.root / "config/datasets.yaml"
    datasets = yaml.safe_load(registry.read_text())
    datasets["metaworld-4tasks"]["remote"] = REMOTE
    project.write_yaml("config/datasets.yaml", datasets)
    project.write_yaml("config/config.yaml", {"experiments": ["b"], "comparisons": []})
    project.change("b", "tracking", mlflow=True, mlflow_uri=f"http://127.0.0.1:{mlflow.port}")
    project.change("b", "tracking", log_every=1)
    project.change("b", "evaluation", episodes_per_task=1, max_steps=4, videos_per_task=1)
    shutil.copy2(
        Path(__file__).with_name("training_code.py"), project.root / "experiments/b/train.py"
    )
    shutil.rmtree(project.root / "experiments/a")
    project.commit()
    project.variables = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": SECRET}
    return project


def dvc(project: Project, *arguments: str) -> None:
    """DVC as `make s3` installs it."""
    command = [ROOT / ".venv-s3/bin/python", "-m", "dvc", *arguments]
    subprocess.run(command, cwd=project.root, check=True, stdout=subprocess.DEVNULL)
