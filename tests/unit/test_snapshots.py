"""Snapshots of the code: what is in them, what they say of themselves, and when they go."""

import os
from pathlib import Path

import pytest
from test_git_state import git, no_repository_around, repository  # noqa: F401

from vla.errors import UserError
from vla.files.exclusive import BusyError, exclusive
from vla.source.git import committed_text, git_state
from vla.source.snapshot import project_of
from vla.upkeep.disk import Old, old_snapshots, remove
from vla.upkeep.snapshots import in_use, make_snapshot, share, snapshots, users
from vla.workflow.views import PUBLICATION, number_publication


@pytest.fixture(autouse=True)
def squeue(tmp_path_factory, monkeypatch) -> Path:
    """A queue without jobs, whatever this machine has installed."""
    command = tmp_path_factory.mktemp("bin") / "squeue"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    return command


@pytest.fixture
def project(repository) -> Path:  # noqa: F811
    """A repository with a bit of everything that a project has."""
    files = {
        ".gitignore": "/.snapshots/\n/results/\n/experiments/*/results/\n.dvc/config.local\n",
        "config/datasets.yaml": "d: {version: '1', format: f, source: s, licence: MIT, path: data/d}\n",
        "experiments/exp_001/config.yaml": "a: 1\n",
        "experiments/exp_001/results/run/run.json": "{}",
        "data/d.dvc": "outs: []\n",
        "data/big.bin": "0" * 1000,
        "tests/test_it.py": "",
        "vla/loop.py": "steps = 1\n",
        "vla/secrets.env": "KEY=1",
        ".dvc/config.local": "password = 1",
    }
    for name, content in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(content)
    (repository / "vla/loop.py").chmod(0o755)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "second")
    return repository


def copied(snapshot: Path) -> set[str]:
    """Files that are no links, nor behind one."""
    return {
        Path(folder, name).relative_to(snapshot).as_posix()
        for folder, _, names in os.walk(snapshot)
        for name in names
        if not Path(folder, name).is_symlink()
    }


def test_snapshot_holds_the_code_and_nothing_else(project):
    (project / "vla/new.py").write_text("x = 1\n")
    (project / "scratch.txt").write_text("not code")
    snapshot = make_snapshot(project)
    code = {"config/datasets.yaml", "experiments/exp_001/config.yaml", "data/d.dvc", ".gitignore"}
    code |= {"vla/loop.py", "vla/new.py", "train.py"}
    assert copied(snapshot) == code | {"snapshot.json", "snapshot.patch"}
    assert not (snapshot / "vla/new.py").stat().st_mode & 0o222, "nobody edits it by mistake"
    assert os.access(snapshot / "vla/loop.py", os.X_OK)


def test_each_state_has_its_snapshot(project):
    first = make_snapshot(project)
    assert make_snapshot(project) == first == make_snapshot(first)
    (project / "vla/loop.py").write_text("steps = 2\n")
    second = make_snapshot(project)
    git(project, "commit", "-q", "-a", "-m", "third")
    third = make_snapshot(project)
    assert len({first, second, third}) == 3
    texts = [(snapshot / "vla/loop.py").read_text() for snapshot in (first, second, third)]
    assert texts == ["steps = 1\n", "steps = 2\n", "steps = 2\n"]


def test_snapshot_tells_the_state_it_was_made_of(project):
    (project / "vla/loop.py").write_text("steps = 2\n")
    state = git_state(project)
    assert state["dirty"] == ["vla/loop.py"]
    snapshot = make_snapshot(project)
    git(project, "commit", "-q", "-a", "-m", "third")
    (project / "vla/loop.py").write_text("steps = 3\n")
    assert git_state(snapshot) == state
    assert committed_text(snapshot, "vla/loop.py") == "steps = 1\n"
    assert git_state(project)["commit"] != state["commit"]


def test_what_is_written_there_lies_in_the_project(project):
    snapshot = make_snapshot(project)
    assert project_of(snapshot) == project == project_of(project)
    assert (snapshot / "experiments/exp_001/results/run/run.json").read_text() == "{}"
    (snapshot / "results/experiments.sqlite").write_text("")
    assert (project / "results/experiments.sqlite").exists()
    assert not (snapshot / "data/d").exists()
    (project / "data/d").mkdir()  # fetched later
    assert (snapshot / "data/d").is_dir()
    share(snapshot, "reports/report-1")
    (snapshot / "reports/report-1/report.html").write_text("")
    assert (project / "reports/report-1/report.html").exists()


def test_outside_git_there_is_no_snapshot(tmp_path):
    with pytest.raises(UserError, match="is no git repository"):
        make_snapshot(tmp_path)


def test_workflows_side_by_side_publish_under_different_numbers(project):
    first = make_snapshot(project)
    number_publication(first)
    (project / "results/.published").mkdir()
    (project / "results/.published/6.json").write_text("{}")
    with in_use(first):
        number_publication(first)
        (project / "vla/loop.py").write_text("steps = 2\n")
        second = make_snapshot(project)
        number_publication(second)
        assert [(s / PUBLICATION).read_text() for s in (first, second)] == ["7", "8"]
    number_publication(second)
    assert (second / PUBLICATION).read_text() == "7", "the first has gone"


def going(project: Path) -> list[Old]:
    return old_snapshots(project)[0]


def test_snapshot_goes_when_nothing_uses_it(project):
    snapshot = make_snapshot(project)
    with in_use(snapshot):
        assert going(project) == []
        with pytest.raises(BusyError), exclusive(snapshot):
            pass
    (old,) = going(project)
    assert old.folder == snapshot
    remove([old], project)
    assert snapshots(project) == []
    assert (project / "experiments/exp_001/results/run/run.json").exists(), "links are not followed"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo {snapshot}", "its jobs are in SLURM's queue"),
        ("echo {snapshot}x", None),
        ("exit 1", "SLURM does not say whether its jobs wait"),
    ],
)
def test_snapshot_whose_jobs_wait_stays(project, squeue, script, expected):
    snapshot = make_snapshot(project)
    squeue.write_text(f"#!/bin/sh\n{script.format(snapshot=snapshot)}\n")
    assert users(snapshot) == expected
