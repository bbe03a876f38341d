"""The folder of a public page: whole or as it was, and never one that somebody else filled."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vla.errors import UserError
from vla.files.hashing import sha256_bytes, sha256_file
from vla.package.checking import path_problem
from vla.records.site import SiteRecord
from vla.site.privacy import Privacy

RECORD = "site.json"


class Draft:
    """Files of a page that is being made, in a folder beside the one that they will go to."""

    def __init__(self, folder: Path, privacy: Privacy):
        self.folder = folder
        self.files: dict[str, str] = {}
        self._privacy = privacy

    def add(self, name: str, content: bytes) -> str:
        """Keep a file that the public may see, else `UserError`; returns its name."""
        if name not in self.files:
            self._privacy.require(name, content)
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self.files[name] = sha256_bytes(content)
        return name


@contextmanager
def new_page(folder: Path, privacy: Privacy) -> Iterator[Draft]:
    """A draft that takes its place in `folder` when the block ends well.

    `UserError` before anything is made when `folder` holds what `vla site` did not write. Files of the
    page before that are no longer part of it go; what others put beside stays.
    """
    folder = folder.resolve()
    before = _files_before(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that files move into place at once.
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
    try:
        draft = Draft(place, privacy)
        yield draft
        _put_in_place(draft, folder, before)
    finally:
        shutil.rmtree(place)


def _files_before(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of the page that `folder` holds; none when it is empty or not there."""
    record = folder / RECORD
    if not record.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(
                f"{folder} was not made by vla site: it has no {RECORD}, and other files.",
                "Name a folder that is not there yet, an empty one, or one that vla site made.",
            )
        return {}
    files = SiteRecord.read(record).files
    for name in filter(path_problem, files):
        raise UserError(f"{record} lists {name!r}, which is no file of a page.", SiteRecord.WAY_OUT)
    return files


def _put_in_place(draft: Draft, folder: Path, before: dict[str, str]) -> None:
    foreign = [name for name in draft.files if name not in before and (folder / name).exists()]
    if foreign:
        raise UserError(
            f"{folder / foreign[0]} is there already, and vla site did not write it.",
            "Move it out of the page's folder.",
        )
    folder.mkdir(exist_ok=True)
    SiteRecord(complete=False, files=before | draft.files).write(folder / RECORD)
    for name, sha256 in draft.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only what changed gets a new time, so that little is copied on.
        if not path.is_file() or sha256_file(path) != sha256:
            (draft.folder / name).replace(path)
    for name in before.keys() - draft.files.keys():
        (folder / name).unlink(missing_ok=True)
        _remove_empty((folder / name).parent, folder)
    SiteRecord(complete=True, files=dict(sorted(draft.files.items()))).write(folder / RECORD)


def _remove_empty(inner: Path, folder: Path) -> None:
    while inner != folder and inner.is_dir() and not any(inner.iterdir()):
        inner.rmdir()
        inner = inner.parent
