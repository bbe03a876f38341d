"""`figures.json`: an experiment's figures."""

from pathlib import PurePosixPath

from vla.files.described import File
from vla.records.base import Content, Record


def _named(content: Content) -> Content:
    """Version 1 listed the figures; they are found by the name of their file."""
    files = content.pop("files")
    return content | {"figures": {PurePosixPath(file["path"]).stem: file for file in files}}


class FiguresRecord(Record):
    """An experiment's figures."""

    KIND = "figures"
    VERSION = 2
    UPGRADES = (_named,)
    LEVELS = 2

    figures: dict[str, File]
    """By name, such as `learning_curve`."""
