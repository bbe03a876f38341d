"""`figures.json`: an experiment's figures, with the numbers they show."""

from pathlib import PurePosixPath

from vla.files.described import File
from vla.records.base import Content, Record
from vla.records.part import Part


class DrawnFigure(Part):
    """A figure and the numbers it shows."""

    name: str
    """As its file in vla/report/figures/."""
    title: str
    caption: str
    picture: File
    """SVG, for the screen."""
    print: File | None = None
    """PDF, for print; null in records of before it was drawn."""
    data: File | None
    """The numbers as a table; null for figures of version 1."""


def _titled(content: Content) -> Content:
    """Version 1 listed pictures alone."""
    figures = []
    for file in content.pop("files"):
        name = PurePosixPath(file["path"]).stem
        title = name.replace("_", " ").capitalize()
        words = {"name": name, "title": title, "caption": ""}
        figures.append(words | {"picture": file, "data": None})
    return content | {"figures": figures, "page": None}


class FiguresRecord(Record):
    """An experiment's figures, and its success rates as a page."""

    KIND = "figures"
    VERSION = 2
    UPGRADES = (_titled,)
    LEVELS = 2

    figures: tuple[DrawnFigure, ...]
    page: File | None
    """Success rates as a page; null for records of version 1."""
