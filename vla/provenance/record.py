"""Records: one JSON file a job, written last, that says what was made of what, where and when."""

import os
import re
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vla.files import describe_file, write_atomic, write_sealed
from vla.provenance.environment import capture_environment, capture_hardware
from vla.provenance.git import git_state

# The command that a person gave; rules/common.smk sets it for all jobs of one call.
COMMAND = "VLA_COMMAND"


def command_line(arguments: list[str]) -> str:
    """A command as one would type it, without the value of any option that looks like a secret."""
    shown, hide = [], False
    for argument in arguments:
        name, separator, _ = argument.partition("=")
        secret = re.search(
            r"secret|passw|token|api-?key|access-key|credential", name, re.IGNORECASE
        )
        shown.append("***" if hide else f"{name}=***" if secret and separator else argument)
        hide = bool(secret) and not separator and argument.startswith("-")
    program = Path(shown[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *shown[1:]])


def now() -> str:
    """The present moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_record(
    path: Path,
    folder: Path,
    *,
    root: Path,
    kind: str,
    key: str,
    identity: dict[str, Any],
    started: str,
    files: Iterable[Path],
    facts: dict[str, Any],
) -> None:
    """Write the record of a job.

    `files`: what the job made, named with size and SHA-256 relative to `folder`, the experiment's,
    so that a copied or moved folder stays whole. `root`: where the code is.
    Uncommitted changes are kept beside the record as `uncommitted.patch`.
    """
    state = git_state(root)
    made = list(files)
    if state["diff"]:
        patch = path.with_name("uncommitted.patch")
        content = state["diff"].encode("utf-8", "surrogateescape")  # files in any encoding
        write_atomic(patch, lambda temporary: temporary.write_bytes(content))
        made.append(patch)
    write_sealed(
        path,
        {
            "schema": 1,
            "kind": kind,
            "key": key,
            "identity": identity,
            "git": {"commit": state["commit"], "dirty": state["dirty"]},
            "environment": capture_environment(root),
            "hardware": capture_hardware(),
            "command": os.environ.get(COMMAND) or command_line(sys.argv),
            "started": started,
            "finished": now(),
            "files": [describe_file(file.absolute(), folder) for file in made],
            **facts,
        },
    )
