"""Records: one JSON file a job, written last, that says what was made of what, where and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla.files.atomic import write_atomic
from vla.files.clock import now
from vla.files.described import describe_file
from vla.files.sealed import write_sealed
from vla.process.software import capture_environment, capture_hardware
from vla.source.git import git_state


@dataclass(frozen=True)
class Circumstances:
    """Under which a job works: when, with what code, software and machine.

    Taken before the work: what is edited or installed meanwhile has no part in what is made.
    `git`: as from `git_state`.
    """

    command: str
    started: str
    git: dict[str, Any]
    environment: dict[str, Any]
    hardware: dict[str, Any]

    @classmethod
    def capture(cls, root: Path, command: str) -> "Circumstances":
        """As they are now. `root`: where the code is; `command`: what a person typed."""
        return cls(command, now(), git_state(root), capture_environment(root), capture_hardware())


def write_record(
    path: Path,
    folder: Path,
    *,
    circumstances: Circumstances,
    kind: str,
    key: str,
    identity: dict[str, Any],
    files: Iterable[Path],
    facts: dict[str, Any],
) -> None:
    """Write the record of a job.

    `files`: what the job made, named with size and SHA-256 relative to `folder`, the experiment's,
    so that a copied or moved folder stays whole.
    Uncommitted changes are kept beside the record as `uncommitted.patch`.
    """
    git = circumstances.git
    made = list(files)
    patch = path.with_name("uncommitted.patch")
    patch.unlink(missing_ok=True)  # of an earlier record of this key
    if git["diff"]:
        content = git["diff"].encode("utf-8", "surrogateescape")  # files in any encoding
        write_atomic(patch, lambda temporary: temporary.write_bytes(content))
        made.append(patch)
    write_sealed(
        path,
        {
            "schema": 1,
            "kind": kind,
            "key": key,
            "identity": identity,
            "git": {"commit": git["commit"], "dirty": git["dirty"]},
            "environment": circumstances.environment,
            "hardware": circumstances.hardware,
            "command": circumstances.command,
            "started": circumstances.started,
            "finished": now(),
            "files": [describe_file(file.absolute(), folder) for file in made],
            **facts,
        },
    )
