"""The state of the code that a record names: commit and every difference from it."""

import os
import subprocess
from pathlib import Path

import pytest

from vla.source.git import git_state, patched_files


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


def bring_back(repository: Path) -> None:
    """Forget every change and apply the patch, as a replay does."""
    patch = git_state(repository)["diff"].encode("utf-8", "surrogateescape")
    git(repository, "stash", "--include-untracked")
    subprocess.run(["git", "apply"], cwd=repository, check=True, input=patch)


def test_diff_brings_the_code_back(repository):
    (repository / "train.py").write_text("steps = 5\n")
    (repository / "vla").mkdir()
    (repository / "vla/new.py").write_text("more = 1\n")
    bring_back(repository)
    assert (repository / "train.py").read_text() == "steps = 5\n"
    assert (repository / "vla/new.py").read_text() == "more = 1\n"


def test_diff_brings_every_byte_back(repository):
    """Line ends of another system, and bytes that no encoding explains."""
    content = {"train.py": b"steps = 6\r\n", "logo.png": bytes(range(256))}
    (repository / "logo.png").write_bytes(b"\0")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "second")
    for name, written in content.items():
        (repository / name).write_bytes(written)
    bring_back(repository)
    assert {name: (repository / name).read_bytes() for name in content} == content


@pytest.mark.parametrize(
    "setting",
    [
        "diff.external=/bin/true",
        "diff.noprefix=true",
        "diff.mnemonicPrefix=true",
        "diff.context=0",
        "diff.algorithm=histogram",
        "diff.shouting.textconv=tr a-z A-Z <",
        "diff.shouting.command=/bin/true",
        "color.ui=always",
        "color.diff=always",
        "core.quotePath=true",
    ],
)
def test_diff_is_the_same_whatever_git_is_set_to(repository, setting):
    (repository / ".git/info").mkdir(exist_ok=True)
    (repository / ".git/info/attributes").write_text("*.py diff=shouting\n")
    (repository / "train.py").write_text("steps = 7\n")
    (repository / "experiments/größe.py").write_text("a = 1\n")
    before = git_state(repository)
    assert "+++ b/experiments/größe.py" in before["diff"]
    git(repository, "config", *setting.split("=", 1))
    assert git_state(repository) == before


@pytest.mark.parametrize("variable", ["GIT_EXTERNAL_DIFF=/bin/true", "GIT_DIFF_OPTS=-u0"])
def test_diff_is_the_same_whatever_the_environment_says(repository, monkeypatch, variable):
    (repository / "train.py").write_text("steps = 1\nmore = 2\n")
    before = git_state(repository)
    monkeypatch.setenv(*variable.split("="))
    assert git_state(repository) == before


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("vla/new.py", True),
        ("rules/new.smk", True),
        ("envs/data.linux-64.pin.txt", True),
        ("Snakefile", True),
        ("data/set.dvc", True),
        ("data/set.manifest.json", True),
        ("vla/plan/keys.py", True),
        ("experiments/exp_001_action_tokens/train.py", True),
        ("scratch/notes.txt", False),
        ("passes.yaml", False),
        ("data/set/meta.json", False),
        ("vla/weights.npy", False),
        ("config/.env", False),
        ("config/production.env", False),
        ("config/client_secret.json", False),
        ("config/credentials.yaml", False),
        ("scripts/id_rsa.txt", False),
        ("envs/secrets/wandb.yaml", False),
    ],
)
def test_new_file_is_kept_where_it_is_code_and_no_secret(repository, name, kept):
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("hunter2\n")
    state = git_state(repository)
    assert state["dirty"] == [name]
    assert ("hunter2" in state["diff"]) == kept


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("docs/life.md", True),
        ("data/set.dvc", True),
        ("data/blob", False),
        ("config/secret.yaml", False),
    ],
)
def test_changed_file_is_kept_unless_it_is_data_or_secret(repository, name, kept):
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_text("first\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "second")
    (repository / name).write_text("hunter2\n")
    state = git_state(repository)
    assert state["dirty"] == [name]
    assert ("hunter2" in state["diff"]) == kept


def test_patch_tells_which_files_it_changes(repository):
    (repository / "train.py").unlink()
    for name in ("größe und\tform.py", "image.json"):
        (repository / "experiments" / name).write_bytes(b"\0" if "json" in name else b"a = 1\n")
    diff = git_state(repository)["diff"]
    patch = repository / "experiments/exp_001/uncommitted.patch"
    patch.write_text(diff)
    names = {"train.py", "experiments/größe und\tform.py", "experiments/image.json"}
    assert patched_files(patch, repository) == names
    patch.write_text("nothing")
    assert patched_files(patch, repository) == set()


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
