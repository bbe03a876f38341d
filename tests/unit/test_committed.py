"""What decides a result is committed when its job starts; what is written for people need not be."""

import os
import subprocess
from pathlib import Path

import pytest

from vla.checks.committed import require_committed
from vla.errors import UserError
from vla.records.circumstances import GitState
from vla.source.git import git_state

CONFIG = """\
experiment: {seed: 1, outcome: planned}
training: {num_steps: 10}
"""
CODE = {"vla/evaluation/rollout.py": "0" * 64}


@pytest.fixture(autouse=True)
def no_repository_around(monkeypatch):
    """Hooks that run tests set these for the outer repository."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


def state_of(repository: Path) -> GitState:
    state = git_state(repository)
    return GitState(commit=state["commit"], dirty=state["dirty"])


@pytest.fixture
def repository(tmp_path) -> Path:
    for name, text in {
        "experiments/a/config.yaml": CONFIG,
        "experiments/a/train.py": "",
        "experiments/b/config.yaml": CONFIG,
        "vla/evaluation/rollout.py": "",
        "vla/report/readme.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init"], ["add", "."], [*identity, "commit", "--message", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("vla/evaluation/rollout.py", "steps = 1\n"),
        ("experiments/a/train.py", "steps = 1\n"),
        ("experiments/a/config.yaml", CONFIG.replace("10", "11")),
        ("experiments/a/config.yaml", CONFIG.replace("seed: 1", "seed: 2")),
    ],
)
def test_what_decides_the_result_is_committed(repository, name, text):
    (repository / name).write_text(text)
    with pytest.raises(UserError, match=f"{name}: uncommitted") as caught:
        require_committed(state_of(repository), CODE, "a", repository)
    assert "git commit it; or set allow_dirty: true" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("experiments/a/config.yaml", CONFIG.replace("planned", "confirmed")),
        ("experiments/a/notes.md", "Looks promising.\n"),
        ("experiments/b/config.yaml", CONFIG.replace("10", "11")),
        ("vla/report/readme.py", "title = 1\n"),
    ],
)
def test_what_decides_nothing_may_be_written_meanwhile(repository, name, text):
    (repository / name).write_text(text)
    require_committed(state_of(repository), CODE, "a", repository)


def test_experiment_that_was_never_committed_is_refused(repository):
    (repository / "experiments/c").mkdir()
    (repository / "experiments/c/config.yaml").write_text(CONFIG)
    with pytest.raises(UserError, match=r"experiments/c/config\.yaml: uncommitted"):
        require_committed(state_of(repository), CODE, "c", repository)
