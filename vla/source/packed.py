"""The state of a source tree that came without Git, in a package: as if from git.

The tree's `packed-source.json` names its commit and every file with its hash.
"""

from pathlib import Path
from typing import Any

from vla.files.hashing import sha256_file
from vla.records.package import SourceRecord

RECORD = "packed-source.json"
# Where a new file may be code that runs.
CODE = ("vla/**/*.py", "scripts/*.py", "rules/*.smk", "plugins/**/*.py", "experiments/*/*.py")


def is_packed(root: Path) -> bool:
    """Whether `root` is a source tree out of a package, and no git repository since."""
    return (root / RECORD).is_file() and not (root / ".git").exists()


def packed_state(root: Path) -> dict[str, Any]:
    """As `vla.source.git.git_state`: `diff` is empty, for what was committed is not here to compare."""
    packed = SourceRecord.read(root / RECORD)
    dirty = {name for name in packed.files if not _is_as_packed(root, name, packed)}
    found = {path.relative_to(root).as_posix() for pattern in CODE for path in root.glob(pattern)}
    dirty |= found - packed.files.keys()
    rendered = {name for name in dirty if Path(name).match("experiments/*/README.md")}
    return {"commit": packed.commit, "dirty": sorted(dirty - rendered), "diff": ""}


def packed_text(root: Path, name: str) -> str | None:
    """A text file as it was committed; None if it is not there, or was changed since."""
    packed = SourceRecord.read(root / RECORD)
    if name not in packed.files or not _is_as_packed(root, name, packed):
        return None
    return (root / name).read_text(encoding="utf-8")


def _is_as_packed(root: Path, name: str, packed: SourceRecord) -> bool:
    path = root / name
    return path.is_file() and sha256_file(path) == packed.files[name]
