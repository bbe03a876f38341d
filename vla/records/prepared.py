"""`prepared.json`: a prepared store. `parts/*.json`: its shards, until it is whole."""

from pathlib import PurePosixPath
from typing import Any

from vla.files.described import File
from vla.records.base import Content, Record
from vla.records.part import Part
from vla.records.policy import TaskSentences


class PicturesShard(Part):
    """The pictures of some episodes, one after another."""

    episodes: int
    frames: int
    pictures: File


def _in_shards(content: Content) -> Content:
    """Version 1 listed one array a column, and had no statistics."""
    files = {PurePosixPath(file["path"]).stem: file for file in content.pop("files")}
    counts = {name: content[name] for name in ("episodes", "frames")}
    shards = [counts | {"pictures": files.pop("pictures")}]
    return content | {"content": "", "statistics": {}, "shards": shards, "columns": files}


class PreparedRecord(Record):
    """A dataset decoded into the arrays that training reads."""

    KIND = "prepared store"
    VERSION = 2
    UPGRADES = (_in_shards,)

    content: str
    """SHA-256 of all that training can see; empty in stores of before."""
    cameras: tuple[str, ...]
    tasks: tuple[TaskSentences, ...]
    statistics: dict[str, Any]
    """Moments of states and ranges of actions; empty in stores of before."""
    seeds: tuple[int, ...]
    """Seeds of the demonstrations' initial states, ascending."""
    frames: int
    """Control steps."""
    episodes: int
    shards: tuple[PicturesShard, ...]
    columns: dict[str, File]
    """What else a frame has, one file a column; relative to the record's own folder."""


class ShardRecord(Record):
    """One finished shard, from which an interrupted preparation goes on."""

    KIND = "shard"

    source: str
    """SHA-256 of what it was decoded for."""
    range: tuple[int, int, int]
    """First episode, the one behind the last, frames."""
    pictures: File
    columns: File
    seeds: tuple[int, ...]
    episodes: tuple[tuple[str, dict[str, Any]], ...]
    """Of each episode: SHA-256 of its bytes, statistics."""
