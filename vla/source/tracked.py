"""Every file of a commit, as git holds it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError

BLOCK = 1 << 20  # bytes that are in memory at a time


@dataclass(frozen=True)
class TrackedFile:
    """A file of a commit. `path`: where it was written; `executable`: whether git holds it as that."""

    name: str
    path: Path
    executable: bool


def tracked_files(root: Path, folder: Path) -> list[TrackedFile]:
    """Write every file of the last commit of the repository whose top is `root` into `folder`.

    In the order of their names. The bytes are git's, whatever its settings on this machine change at
    checkout. `UserError` for links and submodules, which a package cannot hold.
    """
    files, addresses = [], []
    listing = _git(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD").decode()
    for line in filter(None, listing.split("\0")):
        facts, name = line.split("\t", 1)
        mode, kind, address = facts.split()
        if kind != "blob" or mode not in ("100644", "100755"):
            what = "a link" if mode == "120000" else "a submodule"
            raise UserError(
                f"{name} is {what}, which a package cannot hold.",
                "Commit the file itself in its place.",
            )
        files.append(TrackedFile(name, folder / name, mode == "100755"))
        addresses.append(address)
    _write(root, addresses, [file.path for file in files])
    return files


def commit_time(root: Path) -> str:
    """Time of the last commit, ISO 8601."""
    return _git(root, "show", "--no-patch", "--format=%cI", "HEAD").decode().strip()


def _write(root: Path, addresses: list[str], paths: list[Path]) -> None:
    """Write the contents of git's objects to `paths`."""
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        for address, path in zip(addresses, paths, strict=True):
            process.stdin.write(f"{address}\n".encode())
            process.stdin.flush()
            size = int(process.stdout.readline().split()[2])
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as stream:
                while size:
                    size -= stream.write(process.stdout.read(min(size, BLOCK)))
            process.stdout.read(1)  # the end of the line after each content


def _git(root: Path, *arguments: str) -> bytes:
    finished = subprocess.run(["git", *arguments], cwd=root, capture_output=True)
    if finished.returncode:
        raise UserError(
            f"git {arguments[0]} failed in {root}: {finished.stderr.decode(errors='replace').strip()}",
            "A package is made from a commit: git init, git add, git commit.",
        )
    return finished.stdout
