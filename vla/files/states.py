"""Which files still have the bytes that were hashed: told by size, times and inode.

As long as these are unchanged, a file counts as the one that was hashed. A change that puts the
time of modification back shows in the time of change.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

from vla.errors import UserError
from vla.files.digests import file_digests

# Two changes within a clock tick of the file system have one time: 4 ms, or seconds on old ones.
TICK, COARSE_TICK = 0.02, 2.0


class FileState(NamedTuple):
    """What the file system says of a file: unchanged as long as nothing touched it."""

    bytes: int
    modified_ns: int
    changed_ns: int
    inode: int


State = FileState | None  # None when the file is missing


class Description(Protocol):
    """A file as manifests and records name it."""

    path: str
    bytes: int
    sha256: str


def file_states(files: Iterable[Description], folder: Path) -> dict[str, State]:
    """The state of each described file, by its path in `folder`."""
    states: dict[str, State] = {}
    for file in files:
        try:
            status = (folder / file.path).stat()
            states[file.path] = FileState(
                status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
            )
        except FileNotFoundError:
            states[file.path] = None
    return states


def changed_files(
    files: Iterable[Description], states: Mapping[str, State], known: Mapping[str, State]
) -> list[Description]:
    """Files that are missing, or whose state is not the one in which they were hashed."""
    return [
        file
        for file in files
        if states[file.path] is None or states[file.path] != known.get(file.path)
    ]


def check_changed(
    files: Sequence[Description],
    folder: Path,
    known: Mapping[str, State],
    threads: int = 1,
    hashed: Callable[[int, int], None] = lambda done, files: None,
    algorithms: Sequence[str] = ("sha256",),
) -> tuple[dict[str, State], list[str]]:
    """Hash the files that are not in their `known` states; returns all states, and what is wrong.

    `hashed` is told how many are done, of how many. `algorithms`: fields of the descriptions that
    are compared, each the name of a hash. `UserError` when a file changes meanwhile.
    """
    states = file_states(files, folder)
    changed = changed_files(files, states, known)
    _let_the_clock_tick(states[file.path] for file in changed)
    problems = [f"{folder / file.path} is missing" for file in changed if states[file.path] is None]
    present = [file for file in changed if states[file.path] is not None]
    with ThreadPoolExecutor(threads) as pool:  # hashing releases the interpreter's lock
        found = pool.map(lambda file: file_digests(folder / file.path, algorithms), present)
        for done, (file, hashes) in enumerate(zip(present, found, strict=True), 1):
            hashed(done, len(present))
            problems += _difference(file, folder / file.path, hashes)
    if not problems and changed and file_states(files, folder) != states:
        raise UserError(f"Files in {folder} changed while they were hashed.", "Start it again.")
    return states, problems


def _difference(file: Description, path: Path, hashes: Mapping[str, str]) -> list[str]:
    """What is wrong with a file of these `hashes`: nothing, or one text."""
    size = path.stat().st_size
    lines = [
        f"    expected {name} {getattr(file, name)} ({file.bytes} bytes)\n"
        f"    found    {name} {found} ({size} bytes)"
        for name, found in hashes.items()
        if (found, size) != (getattr(file, name), file.bytes)
    ]
    heading = f"{path} does not hold the bytes that were recorded:"
    return ["\n".join([heading, *lines])] if lines else []


def _let_the_clock_tick(states: Iterable[State]) -> None:
    """Wait until a change after this moment must show in a file's times."""
    times = [moment for state in states if state for moment in state[1:3]]
    if not times:
        return
    coarse = all(moment % 10**9 == 0 for moment in times)
    tick = COARSE_TICK if coarse else TICK
    age = time.time() - max(times) / 1e9
    if age < tick:  # negative when the clock was set back
        time.sleep(min(tick - age, COARSE_TICK))
