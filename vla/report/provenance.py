"""Where the numbers of a report come from: files of the project, each with its SHA-256."""

import os
from dataclasses import dataclass
from pathlib import Path

from vla.files.described import File
from vla.files.hashing import sha256_file


@dataclass(frozen=True)
class Source:
    """A file that a report cites.

    `path`: from the project's root; `run`: the run it belongs to, "" where it spans several.
    """

    number: int
    what: str
    path: str
    sha256: str
    run: str

    @property
    def note(self) -> str:
        """What a reader is shown who asks where a number comes from."""
        run = f", run {self.run}" if self.run else ""
        return f"{self.what}{run}: {self.path}, SHA-256 {self.sha256[:12]}…"


class Sources:
    """The files that a report cites, numbered in the order in which they are first cited."""

    def __init__(self, root: Path):
        self._root = root
        self._cited: dict[str, Source] = {}

    def cite(self, path: Path, what: str, run: str = "") -> Source:
        """A file without a recorded hash, such as a record: hashed as it lies on the disk."""
        return self._cited.get(self._name(path)) or self._add(path, sha256_file(path), what, run)

    def cite_file(self, file: File, folder: Path, what: str, run: str = "") -> Source:
        """A file that a record names, relative to `folder`."""
        return self._add(folder / file.path, file.sha256, what, run)

    def all(self) -> tuple[Source, ...]:
        return tuple(self._cited.values())

    def _name(self, path: Path) -> str:
        # Results may be links, to a larger disk or out of a snapshot: none is followed.
        return Path(os.path.normpath(path)).relative_to(os.path.normpath(self._root)).as_posix()

    def _add(self, path: Path, sha256: str, what: str, run: str) -> Source:
        name = self._name(path)
        source = Source(len(self._cited) + 1, what, name, sha256, run)
        return self._cited.setdefault(name, source)
