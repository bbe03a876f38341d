"""Projects for the tests of the workflow: before their first run, finished, and copies of these."""

import zipfile
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.packages import build
from tests.project import Project
from tests.sharing import made_once

DRIVER = Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --window-size=1300,1000"
)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """The project after one complete run. Not to be changed: take `project`."""
    return Project(
        made_once(tmp_path_factory, "finished", lambda root: Project.create(root).snakemake())
    )


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A finished project of one's own."""
    return finished.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """The project before its first run. Not to be run."""
    return Project(made_once(tmp_path_factory, "fresh", Project.create))


@pytest.fixture(scope="module")
def archive(finished, tmp_path_factory) -> Path:
    """A package of experiment b. Not to be changed."""
    return build(finished.copy(tmp_path_factory.mktemp("packing") / "project")).path


@pytest.fixture
def package(archive, tmp_path) -> Path:
    """The package as a stranger unpacks it, in a folder of its own."""
    folder = tmp_path / "package"
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    return folder


def start_browser() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    for flag in FLAGS.split():
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(str(DRIVER)))


@pytest.fixture
def browser():
    if not DRIVER.is_file():
        pytest.skip("chromium-driver is not installed: sh tools/system_packages.sh test")
    driver = start_browser()
    yield driver
    driver.quit()
