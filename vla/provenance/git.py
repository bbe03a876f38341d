"""The state of the code in git: recorded with every run, never part of a key."""

import subprocess
from pathlib import Path
from typing import Any

# Rendered by the workflow itself: a changed copy of these says nothing about the code.
RENDERED = (":(exclude)experiments/*/README.md",)


def git_state(root: Path) -> dict[str, Any]:
    """`commit` (None outside git), `dirty` (paths that differ from it), `diff` (text)."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": [], "diff": ""}
    status = _git(root, "status", "--porcelain", "--untracked-files=all", "--", ".", *RENDERED)
    dirty = [line[3:] for line in (status or "").splitlines()]
    diff = _git(root, "diff", "HEAD", "--", ".", *RENDERED) if dirty else ""
    return {"commit": commit.strip(), "dirty": dirty, "diff": diff or ""}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        return subprocess.run(
            ["git", *arguments], cwd=root, check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
