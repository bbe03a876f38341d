"""The state of the code in git: recorded with every run, never part of a key."""

import os
import subprocess
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from vla.source.packed import is_packed, packed_state, packed_text
from vla.source.snapshot import is_snapshot, snapshot_state

# Rendered by the workflow itself: a changed copy of these says nothing about the code.
RENDERED = ":(exclude)experiments/*/README.md"
# Where a new file is taken for code. Anything else that lies about stays out of a patch.
CODE_FOLDERS = {
    *("config", "envs", "experiments", "plugins", "profiles", "reports", "rules", "scripts", "vla"),
}
# Python files that no job executes.
BESIDE_JOBS = {"benchmarks", "docs", "tests", "tools"}
# Folders that are tracked, and of which no job reads anything.
NOT_RUN = BESIDE_JOBS | {"published", "results"}
CODE = {".in", ".j2", ".json", ".py", ".rst", ".sh", ".smk", ".toml", ".txt", ".yaml", ".yml"}
CODE_NAMES = {"Makefile", "Snakefile", "pyproject.toml"}
PINS = (".dvc", ".manifest.json", ".prepared.json")  # which data is used; the data is DVC's
# Files and folders whose names say that nobody else is to read them.
SECRET = (
    *(".env", ".env.*", "*.env", ".netrc", "*.pem", "*.key", "*.p12", "id_rsa*", "id_ed25519*"),
    *("*secret*", "*credential*", "*passw*", "*api_key*", "*api-key*", "*apikey*"),
)


def git_state(root: Path) -> dict[str, Any]:
    """`commit` (None outside git), `dirty` (paths that differ from it), `diff` (text).

    `diff` brings changed and new code back with `git apply` on the commit, whatever the user's git
    is set to. It holds changed files but for data, new files only where `decides_result`, and never
    one whose name looks like a secret. Bytes that are no UTF-8 are surrogate escapes. Of a source tree
    out of a package, what the package says, without a diff; of a snapshot, the state when it was made.
    """
    if is_packed(root):
        return packed_state(root)
    if is_snapshot(root):
        return snapshot_state(root)
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": [], "diff": ""}
    with tempfile.TemporaryDirectory() as folder:
        # An index of its own, so that new files are in the diff and the user's index stays as it is.
        index = str(Path(folder) / "index")
        _git(root, "read-tree", "HEAD", index=index)
        _git(root, "update-index", "-q", "--refresh", index=index)
        changed = _listed(root, index, "--modified", "--deleted")
        new = _listed(root, index, "--others", "--exclude-standard")
        kept = {name for name in changed if not name.startswith("data/") or name.endswith(PINS)}
        kept |= {name for name in new if decides_result(name)}
        given = "\0".join(name for name in sorted(kept) if not looks_secret(name))
        _git(root, "update-index", "--add", "--remove", "-z", "--stdin", index=index, given=given)
        # Plumbing, because `git diff` heeds what people set for their eyes: colours, prefixes, context.
        diff = _git(
            root,
            *("-c", "core.quotePath=false", "diff-index", "--cached", "--patch", "--binary"),
            *("--no-renames", "--no-ext-diff", "--no-textconv", "HEAD"),
            index=index,
        )
    return {"commit": commit.strip(), "dirty": sorted(changed | new), "diff": diff or ""}


def decides_result(name: str) -> bool:
    """Whether a file of that path in the project is code, configuration, or pins environment or data."""
    path = PurePosixPath(name)
    in_place = len(path.parts) > 1 and path.parts[0] in CODE_FOLDERS and path.suffix in CODE
    return in_place or name in CODE_NAMES or name.endswith(PINS)


def may_decide(name: str) -> bool:
    """Whether a result could depend on a file of that path: one that `decides_result`, or a Python
    file that training code may import from wherever it lies."""
    path = PurePosixPath(name)
    return decides_result(name) or (path.suffix == ".py" and path.parts[0] not in BESIDE_JOBS)


def patched_files(patch: Path, root: Path) -> set[str]:
    """Paths of the files that a patch for the repository at `root` changes; none when it is no patch."""
    listing = _git(root, "apply", "--numstat", "-z", "--whitespace=nowarn", str(patch)) or ""
    return {line.split("\t", 2)[2] for line in listing.split("\0") if line}


def committed_text(root: Path, path: str) -> str | None:
    """A text file as it is in the last commit; None if it is not there."""
    if is_packed(root):
        return packed_text(root, path)
    commit = snapshot_state(root)["commit"] if is_snapshot(root) else "HEAD"
    return _git(root, "show", f"{commit}:{path}")


def listed_code(root: Path) -> list[str]:
    """Paths of the files that jobs may execute or read as they lie there: what git tracks, but for data and
    what is beside jobs, and new files that may decide a result. None whose name looks like a secret."""

    def listed(*which: str) -> set[str]:
        return set(filter(None, (_git(root, "ls-files", "-z", *which) or "").split("\0")))

    names = {name for name in listed("--others", "--exclude-standard") if may_decide(name)}
    for name in listed("--cached"):
        in_data = name.startswith("data/") and not name.endswith(PINS)
        if not in_data and PurePosixPath(name).parts[0] not in NOT_RUN:
            names.add(name)
    names = {name for name in names if not PurePosixPath(name).match("experiments/*/README.md")}
    return sorted(name for name in names if (root / name).is_file() and not looks_secret(name))


def _listed(root: Path, index: str, *which: str) -> set[str]:
    listing = _git(root, "ls-files", "-z", *which, "--", ".", RENDERED, index=index)
    return set(filter(None, (listing or "").split("\0")))


def looks_secret(name: str) -> bool:
    """Whether the name of a file, or of a folder around it, says that nobody else is to read it."""
    parts = PurePosixPath(name.lower()).parts
    return any(fnmatchcase(part, pattern) for part in parts for pattern in SECRET)


def _git(root: Path, *arguments: str, index: str = "", given: str = "") -> str | None:
    """What git prints, its line ends as they are; None when it fails."""
    try:
        printed = subprocess.run(
            ["git", *arguments],
            cwd=root,
            env=os.environ | {"GIT_DIFF_OPTS": ""} | ({"GIT_INDEX_FILE": index} if index else {}),
            input=given.encode("utf-8", "surrogateescape"),
            check=True,
            capture_output=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return printed.decode("utf-8", "surrogateescape")
