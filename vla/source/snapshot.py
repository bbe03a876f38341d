"""A snapshot: the code as it was at submission, in a folder from which jobs run.

It is a project of its own, `.snapshots/<hash>/` in the project: configuration and code are copies; data,
results, checkpoints and logs are links to the project's.
"""

from pathlib import Path
from typing import Any

from vla.records.snapshot import SnapshotRecord

FOLDER, RECORD, PATCH = ".snapshots", "snapshot.json", "snapshot.patch"


def is_snapshot(root: Path) -> bool:
    return root.parent.name == FOLDER and (root / RECORD).is_file()


def project_of(root: Path) -> Path:
    """The project that a snapshot was made of; any other root is a project itself."""
    return root.parents[1] if is_snapshot(root) else root


def snapshot_state(root: Path) -> dict[str, Any]:
    """As `vla.source.git.git_state`, of the project when the snapshot was made."""
    record = SnapshotRecord.read(root / RECORD)
    diff = (root / PATCH).read_bytes().decode("utf-8", "surrogateescape")
    return {"commit": record.commit, "dirty": list(record.dirty), "diff": diff}
