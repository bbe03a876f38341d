"""A source tree out of a package has its commit and its changes, though there is no Git."""

import subprocess

import pytest

from vla.checks.committed import require_committed
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.records.circumstances import GitState
from vla.records.package import SourceRecord
from vla.source.git import git_state
from vla.source.packed import RECORD

FILES = {
    "vla/words.py": "A = 1\n",
    "experiments/e/config.yaml": "experiment: {seed: 1}\n",
    "experiments/e/README.md": "rendered\n",
}
COMMIT = "c0ffee" * 6 + "abcd"


@pytest.fixture
def root(tmp_path):
    """In a folder that lies in somebody else's repository."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    folder = tmp_path / "reproduction/retrain"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    hashes = {name: sha256_file(folder / name) for name in FILES}
    SourceRecord(commit=COMMIT, files=hashes).write(folder / RECORD)
    return folder


def test_unchanged_tree_is_its_commit(root):
    (root / "experiments/e/README.md").write_text("rendered anew\n")
    (root / "experiments/e/results").mkdir()
    (root / "experiments/e/results/run.json").write_text("{}")
    assert git_state(root) == {"commit": COMMIT, "dirty": [], "diff": ""}


def test_changed_missing_and_new_files_are_named(root):
    (root / "vla/words.py").write_text("A = 2\n")
    (root / "experiments/e/config.yaml").unlink()
    (root / "experiments/e/train.py").write_text("")
    changed = ["experiments/e/config.yaml", "experiments/e/train.py", "vla/words.py"]
    assert git_state(root)["dirty"] == changed


def test_changed_configuration_is_no_committed_one(root):
    config = "experiments/e/config.yaml"
    (root / config).write_text("experiment: {seed: 2}\n")
    state = git_state(root)
    git = GitState(commit=state["commit"], dirty=state["dirty"])
    with pytest.raises(UserError, match="uncommitted, though the result depends on it"):
        require_committed(git, {}, "e", root)


def test_tree_that_became_a_repository_is_read_from_git(root):
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    assert git_state(root)["commit"] is None
