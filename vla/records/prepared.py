"""`prepared.json`: a prepared store."""

from pathlib import PurePosixPath

from vla.files.described import File
from vla.records.base import Content, Record
from vla.records.policy import TaskSentences


def _named(content: Content) -> Content:
    """Version 1 listed the arrays; they are found by the name of their file."""
    files = content.pop("files")
    return content | {"arrays": {PurePosixPath(file["path"]).stem: file for file in files}}


class PreparedRecord(Record):
    """A dataset decoded into the arrays that training reads."""

    KIND = "prepared store"
    VERSION = 2
    UPGRADES = (_named,)

    cameras: tuple[str, ...]
    tasks: tuple[TaskSentences, ...]
    seeds: tuple[int, ...]
    """Seeds of the demonstrations' initial states, ascending."""
    frames: int
    """Control steps."""
    episodes: int
    arrays: dict[str, File]
    """By name, such as `pictures`; relative to the record's own folder."""
