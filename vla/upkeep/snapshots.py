"""Make a snapshot of the code, to run a workflow from, and find those that nothing uses.

Jobs of a workflow that was started in a snapshot find there what they were submitted with, however long
they wait and whatever is edited meanwhile. What they write goes through links into the project.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vla.errors import UserError
from vla.files.hashing import sha256_bytes, sha256_json
from vla.plan.reading import load_registry
from vla.records.snapshot import SnapshotRecord
from vla.source.git import git_state, listed_code
from vla.source.snapshot import FOLDER, PATCH, RECORD, is_snapshot, project_of

LOCK = ".lock"  # that of `vla.files.exclusive`, shared by those who use a snapshot
# Made by the workflow: one folder for all states of the code. `.snakemake` has locks, so that two workflows never
# make the same file.
SHARED = (
    *(".snakemake", "data/.prepared", "data/.state", "data/collected", "logs", "mlruns", "results"),
    "weights",
)
OF_AN_EXPERIMENT = ("checkpoints", "logs", "models", "results")
# Not code, or not to be copied: credentials, and what is addressed by content.
LINKED = (".dvc/cache", ".dvc/config.local", "data/dvc-remote")


def make_snapshot(root: Path) -> Path:
    """The folder with the code of the project `root` as it is now; one that is there is used again.

    Of a snapshot, itself. `UserError` outside git, which tells what is code.
    """
    if is_snapshot(root):
        link_outputs(root, project_of(root))
        return root
    state = git_state(root)
    contents = {name: (root / name).read_bytes() for name in listed_code(root)}
    if state["commit"] is None or not contents:
        raise UserError(f"{root} is no git repository.", "git init, git add, git commit.")
    files = {name: sha256_bytes(content) for name, content in contents.items()}
    record = SnapshotRecord(commit=state["commit"], dirty=state["dirty"], files=files)
    snapshot = root / FOLDER / sha256_json(record.model_dump(mode="json"))[:12]
    if not (snapshot / RECORD).is_file():
        draft = snapshot.with_name(f".{snapshot.name}.{os.getpid()}")
        for name, content in contents.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o555 if os.access(root / name, os.X_OK) else 0o444)
        (draft / PATCH).write_bytes(state["diff"].encode("utf-8", "surrogateescape"))
        record.write(draft / RECORD)
        try:
            draft.rename(snapshot)
        except OSError:  # another process has just made it
            shutil.rmtree(draft)
    link_outputs(snapshot, root)
    return snapshot


def link_outputs(snapshot: Path, root: Path) -> None:
    """Links for all that is written, or is not code; those that are there stay."""
    for name in SHARED:
        share(snapshot, name)
    for config in snapshot.glob("experiments/*/config.yaml"):
        for kind in OF_AN_EXPERIMENT:
            share(snapshot, f"experiments/{config.parent.name}/{kind}")
    for report in root.glob("reports/report-*/"):
        share(snapshot, f"reports/{report.name}")
    for entry in load_registry(snapshot).values():
        _link(snapshot, entry.path)
    for name in LINKED:
        _link(snapshot, name)


def share(snapshot: Path, name: str) -> None:
    """Make a folder of the snapshot one with the project's, which is made where there is none."""
    (project_of(snapshot) / name).mkdir(parents=True, exist_ok=True)
    _link(snapshot, name)


def _link(snapshot: Path, name: str) -> None:
    """A relative link to the project's file or folder, which need not be there yet."""
    path, target = snapshot / name, project_of(snapshot) / name
    if not path.is_symlink() and not path.exists():  # there is one, or one of a folder around it
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(target, path.parent))


@contextmanager
def in_use(snapshot: Path) -> Iterator[int]:
    """Keep the snapshot while the lock is held; gives the lock's file, which a program that takes
    this process's place may keep open."""
    with open(snapshot / LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield lock.fileno()


def snapshots(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.glob(f"{FOLDER}/[!.]*/{RECORD}"))


def users(snapshot: Path) -> str | None:
    """Who uses a snapshot, in words: its workflow, or its jobs in SLURM's queue; None when nobody does."""
    with open(snapshot / LOCK, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "its workflow is at work"
    if shutil.which("squeue"):
        asked = subprocess.run(
            ["squeue", "--noheader", "--format", "%Z"], capture_output=True, text=True
        )
        if asked.returncode:
            return "SLURM does not say whether its jobs wait"
        if str(snapshot) in asked.stdout.splitlines():
            return "its jobs are in SLURM's queue"
    return None
