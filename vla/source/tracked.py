"""Every file of a commit, as git holds it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError


@dataclass(frozen=True)
class TrackedFile:
    """A file of a commit. `executable`: whether git holds it as that."""

    name: str
    content: bytes
    executable: bool


def tracked_files(root: Path) -> list[TrackedFile]:
    """Every file of the last commit of the repository whose top is `root`, in the order of their names.

    The bytes are git's, whatever its settings on this machine change at checkout. `UserError` for
    links and submodules, which a package cannot hold.
    """
    files = []
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
        files.append((name, address, mode == "100755"))
    contents = _contents(root, [address for _, address, _ in files])
    return [
        TrackedFile(name, content, executable)
        for (name, _, executable), content in zip(files, contents, strict=True)
    ]


def commit_time(root: Path) -> str:
    """Time of the last commit, ISO 8601."""
    return _git(root, "show", "--no-patch", "--format=%cI", "HEAD").decode().strip()


def _contents(root: Path, addresses: list[str]) -> list[bytes]:
    """Contents of git's objects, in their order."""
    printed = _git(root, "cat-file", "--batch", given="\n".join(addresses).encode() + b"\n")
    contents, position = [], 0
    for _ in addresses:
        end = printed.index(b"\n", position)
        size = int(printed[position:end].split()[2])
        contents.append(printed[end + 1 : end + 1 + size])
        position = end + 1 + size + 1
    return contents


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    finished = subprocess.run(["git", *arguments], cwd=root, input=given, capture_output=True)
    if finished.returncode:
        raise UserError(
            f"git {arguments[0]} failed in {root}: {finished.stderr.decode(errors='replace').strip()}",
            "A package is made from a commit: git init, git add, git commit.",
        )
    return finished.stdout
