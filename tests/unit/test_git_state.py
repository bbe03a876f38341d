"""The state of the code that a record names: commit and every difference from it."""

import os
import subprocess
from pathlib import Path

import pytest

from vla.provenance.git import git_state


@pytest.fixture(autouse=True)
def no_repository_around(monkeypatch):
    """Hooks that run tests set these for the outer repository."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path) -> Path:
    (tmp_path / "experiments/exp_001").mkdir(parents=True)
    (tmp_path / "experiments/exp_001/README.md").write_text("rendered\n")
    (tmp_path / "train.py").write_text("steps = 1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_committed_code_is_its_commit(repository):
    commit = git(repository, "rev-parse", "HEAD").strip()
    assert git_state(repository) == {"commit": commit, "dirty": [], "diff": ""}


def test_changed_file_is_listed_and_kept(repository):
    (repository / "train.py").write_text("steps = 2\n")
    state = git_state(repository)
    assert state["dirty"] == ["train.py"]
    assert "-steps = 1\n+steps = 2\n" in state["diff"]
    assert state["commit"] == git(repository, "rev-parse", "HEAD").strip()


def test_staged_and_deleted_files_are_kept(repository):
    (repository / "train.py").write_text("steps = 3\n")
    git(repository, "add", "train.py")
    assert "+steps = 3" in git_state(repository)["diff"]
    (repository / "train.py").unlink()
    assert git_state(repository)["dirty"] == ["train.py"]
    assert "-steps = 1" in git_state(repository)["diff"]


def test_new_file_is_listed_and_kept(repository):
    """The code of a copied experiment is new until somebody commits it."""
    (repository / "experiments/exp_002").mkdir()
    (repository / "experiments/exp_002/train.py").write_text("steps = 4\n")
    state = git_state(repository)
    assert state["dirty"] == ["experiments/exp_002/train.py"]
    assert "+steps = 4" in state["diff"]
    assert git(repository, "diff", "--cached") == ""  # looking changes nothing


def test_diff_brings_the_code_back(repository):
    (repository / "train.py").write_text("steps = 5\n")
    (repository / "new.py").write_text("more = 1\n")
    patch = git_state(repository)["diff"]
    git(repository, "stash", "--include-untracked")
    subprocess.run(["git", "apply"], cwd=repository, check=True, input=patch, text=True)
    assert (repository / "train.py").read_text() == "steps = 5\n"
    assert (repository / "new.py").read_text() == "more = 1\n"


@pytest.mark.parametrize("name", ["two words.py", "größe.py"])
def test_files_are_listed_by_their_names(repository, name):
    (repository / name).write_text("a = 1\n")
    assert git_state(repository)["dirty"] == [name]


def test_file_that_is_no_utf8_does_not_stop_a_run(repository):
    (repository / "train.py").write_bytes("# Größe\n".encode("latin-1"))
    assert git_state(repository)["dirty"] == ["train.py"]


def test_rendered_readme_says_nothing_about_the_code(repository):
    (repository / "experiments/exp_001/README.md").write_text("rendered anew\n")
    assert git_state(repository)["dirty"] == []
    (repository / "train.py").write_text("steps = 2\n")
    assert "rendered" not in git_state(repository)["diff"]


def test_ignored_files_do_not_count(repository):
    (repository / ".gitignore").write_text("*.log\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "second")
    (repository / "run.log").write_text("x")
    assert git_state(repository)["dirty"] == []


def test_outside_git_there_is_no_commit(tmp_path):
    assert git_state(tmp_path) == {"commit": None, "dirty": [], "diff": ""}
