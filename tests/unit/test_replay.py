"""Before a run is repeated: the code that ran is had again byte for byte, or the replay is refused."""

import subprocess
from pathlib import Path

import pytest

from tests.records import make_run_record
from vla.errors import UserError
from vla.files.described import describe_file
from vla.records.circumstances import GitState
from vla.reproduction import replay as replaying
from vla.reproduction.verify import FinishedRun
from vla.source.git import git_state


class StoppedError(Exception):
    """Raised where Snakemake would start."""


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "vla").mkdir()
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "vla/code.py").write_text("steps = 1\n")
    for command in (["init"], ["add", "."], ["commit", "--message", "first"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *command], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def replay(root, monkeypatch):
    """Replay in a folder beside the project, up to Snakemake; returns the code that it would run."""
    call = replaying._call

    def only_git(command, folder):
        if command[0] != "git":
            raise StoppedError
        call(command, folder)

    def run_again(run: FinishedRun) -> str:
        folder = root / "again"
        try:
            with pytest.raises(StoppedError):
                replaying.replay(run, folder, root, 0.1, 0.05)
        except UserError:
            assert not folder.exists()
            raise
        return (folder / "vla/code.py").read_text()

    monkeypatch.setattr(replaying, "_call", only_git)
    return run_again


def recorded(root: Path, patch: str | None) -> FinishedRun:
    """A run of the present code; its record names a patch of that text, or none."""
    folder = root / "experiments/e"
    results = folder / "results/seed1-k"
    state = git_state(root)
    results.mkdir(parents=True)
    named = None
    if patch is not None:
        (results / "uncommitted.patch").write_text(patch)
        named = describe_file(results / "uncommitted.patch", folder)
    record = make_run_record(
        identity={"code": {"vla/code.py": "0" * 64, "helper.py": "0" * 64}},
        git=GitState(commit=state["commit"], dirty=state["dirty"]),
        patch=named,
    )
    return FinishedRun(results / "run.json", record, ())


@pytest.mark.parametrize("whitespace", ["fix", "error"])
def test_recorded_changes_are_applied_to_the_byte(root, replay, monkeypatch, whitespace):
    settings = {"COUNT": "1", "KEY_0": "apply.whitespace", "VALUE_0": whitespace}
    for name, value in settings.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    (root / "vla/code.py").write_text("steps = 2  \n")
    run = recorded(root, git_state(root)["diff"])
    assert replay(run) == "steps = 2  \n"


def test_patch_that_no_record_names_is_not_applied(root, replay):
    run = recorded(root, None)
    (root / "vla/code.py").write_text("steps = 2\n")
    run.path.with_name("uncommitted.patch").write_text(git_state(root)["diff"])
    assert replay(run) == "steps = 1\n"


def test_patch_that_changed_is_refused(root, replay):
    (root / "vla/code.py").write_text("steps = 2\n")
    diff = git_state(root)["diff"]
    run = recorded(root, diff)
    run.path.with_name("uncommitted.patch").write_text(diff.replace("steps = 2", "steps = 3"))
    with pytest.raises(UserError, match="has changed since it was recorded"):
        replay(run)


@pytest.mark.parametrize("name", ["config/credentials.yaml", "helper.py", "vla/code.py"])
def test_code_that_the_patch_lacks_is_refused(root, replay, name):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("a = 1\n")
    (root / "notes.txt").write_text("decides nothing\n")
    with pytest.raises(UserError, match=f"that its patch lacks: {name}"):
        replay(recorded(root, None))


def test_file_that_decides_nothing_is_not_missed(root, replay):
    (root / "notes.txt").write_text("decides nothing\n")
    assert replay(recorded(root, None)) == "steps = 1\n"
