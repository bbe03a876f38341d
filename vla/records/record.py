"""Records: one JSON file a job, written last, that says what was made of what, where and when."""

import os
import re
import shlex
import sys
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


@dataclass(frozen=True)
class Circumstances:
    """Under which a job works: when, with what code, software and machine.

    Taken before the work: what is edited or installed meanwhile has no part in what is made.
    `git`: as from `git_state`.
    """

    started: str
    git: dict[str, Any]
    environment: dict[str, Any]
    hardware: dict[str, Any]

    @classmethod
    def capture(cls, root: Path) -> "Circumstances":
        """As they are now. `root`: where the code is."""
        return cls(now(), git_state(root), capture_environment(root), capture_hardware())


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
            "command": os.environ.get(COMMAND) or command_line(sys.argv),
            "started": circumstances.started,
            "finished": now(),
            "files": [describe_file(file.absolute(), folder) for file in made],
            **facts,
        },
    )
