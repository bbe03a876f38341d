"""The state of the code in git: recorded with every run, never part of a key."""

import os
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

# Rendered by the workflow itself: a changed copy of these says nothing about the code.
RENDERED = ":(exclude)experiments/*/README.md"
# What a patch may hold. Anything else that lies about, data or a file of secrets, stays out.
CODE = {".j2", ".py", ".rst", ".sh", ".smk", ".toml", ".txt", ".yaml", ".yml"}
CODE_NAMES = {"Makefile", "Snakefile"}


def git_state(root: Path) -> dict[str, Any]:
    """`commit` (None outside git), `dirty` (paths that differ from it), `diff` (text).

    `diff` brings changed and new code back with `git apply` on the commit.
    """
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": [], "diff": ""}
    with tempfile.TemporaryDirectory() as folder:
        # An index of its own, so that new files are in the diff and the user's index stays as it is.
        index = str(Path(folder) / "index")
        _git(root, "read-tree", "HEAD", index=index)
        _git(root, "update-index", "-q", "--refresh", index=index)
        which = ("--modified", "--deleted", "--others", "--exclude-standard")
        listing = _git(root, "ls-files", "-z", *which, "--", ".", RENDERED, index=index)
        dirty = sorted(set(filter(None, (listing or "").split("\0"))))
        code = "\0".join(filter(_is_code, dirty))
        _git(root, "update-index", "--add", "--remove", "-z", "--stdin", index=index, given=code)
        diff = _git(root, "diff", "--cached", "--no-renames", "HEAD", index=index)
    return {"commit": commit.strip(), "dirty": dirty, "diff": diff or ""}


def _is_code(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix in CODE or path.name in CODE_NAMES


def _git(root: Path, *arguments: str, index: str = "", given: str = "") -> str | None:
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            env=os.environ | ({"GIT_INDEX_FILE": index} if index else {}),
            input=given,
            check=True,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def committed_text(root: Path, path: str) -> str | None:
    """A text file as it is in the last commit; None if it is not there."""
    return _git(root, "show", f"HEAD:{path}")
