"""A cluster, and a project that runs on it."""

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cluster import Cluster
from submitting import prepare

from tests.project import Project


def pytest_sessionstart() -> None:
    """Asked to end, as by a time limit of continuous integration: the cluster is taken down first."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Up for all tests, and down after them, whatever became of them."""
    with TemporaryDirectory(prefix="slurm-") as folder:  # munged refuses pytest's, which is private
        started = Cluster(Path(folder))
        try:
            started.up()
            yield started
        finally:
            started.down()


@pytest.fixture(scope="session")
def project(cluster, tmp_path_factory) -> Project:
    """Experiments `a` and `b` with seeds 1 and 2; tests go on with what those before have made."""
    project = prepare(tmp_path_factory.mktemp("submitted") / "project")
    project.variables = cluster.variables()
    return project


@pytest.fixture
def on_cluster(cluster, monkeypatch) -> None:
    """This process finds the cluster."""
    for name, value in cluster.variables().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def profile(project, tmp_path):
    """Writes a changed copy of the project's profile; returns its folder."""

    def change(old: str, new: str) -> Path:
        text = (project.root / "profiles/slurm/config.yaml").read_text()
        assert old in text
        (tmp_path / "config.yaml").write_text(text.replace(old, new))
        return tmp_path

    return change
