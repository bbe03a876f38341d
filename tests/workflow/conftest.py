"""Projects for the tests of the workflow: before their first run, finished, and copies of these."""

import pytest

from tests.project import Project


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """The project after one complete run. Not to be changed: take `project`."""
    project = Project.create(tmp_path_factory.mktemp("finished") / "project")
    project.snakemake()
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A finished project of one's own."""
    return finished.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """The project before its first run. Not to be run."""
    return Project.create(tmp_path_factory.mktemp("fresh") / "project")
