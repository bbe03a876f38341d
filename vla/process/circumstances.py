"""Capture the circumstances of a job, as its record holds them."""

from pathlib import Path

from vla.files.clock import now
from vla.process.software import capture_environment, capture_hardware
from vla.records.circumstances import Circumstances, GitState
from vla.source.git import git_state


def capture_circumstances(root: Path, command: str) -> tuple[Circumstances, str]:
    """The circumstances as they are now, and uncommitted changes as a patch ("" without any).

    `root`: where the code is; `command`: what a person typed, as from `command_line`.
    """
    state = git_state(root)
    circumstances = Circumstances(
        command=command,
        started=now(),
        git=GitState(commit=state["commit"], dirty=state["dirty"]),
        environment=capture_environment(root),
        hardware=capture_hardware(),
    )
    return circumstances, state["diff"]
