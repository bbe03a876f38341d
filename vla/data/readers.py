"""The reader of a dataset's layout, chosen by the name that the registry gives."""

from pathlib import Path
from types import ModuleType

from vla.config.datasets import DatasetEntry
from vla.data.formats.protocol import DatasetReader
from vla.errors import UserError, nearest
from vla.plugins import Plugin, find_plugin, plugins


def reader_plugin(name: str, entry: DatasetEntry, root: Path) -> Plugin:
    """The plug-in that reads the dataset registered as `name` in the project at `root`.

    `UserError` when there is none: asked when a plan is made, so that nobody waits for data that
    nothing can read.
    """
    known = [folder.replace("_", "-") for folder in plugins("formats", root)]
    if entry.format.lower().replace("_", "-") not in known:
        raise UserError(
            f"The dataset {name} has the format {entry.format!r}, which nothing here reads; "
            f"{nearest(entry.format, known)}.",
            "Correct its format in config/datasets.yaml, convert the data to one that is read, or "
            "add a reader: docs/plugins.md.",
        )
    return find_plugin("formats", entry.format, root)


def shape_module(entry: DatasetEntry) -> ModuleType | None:
    """What tells a dataset's sizes before it is read, if its format has that."""
    plugin = find_plugin("formats", entry.format)
    return plugin.load("shape") if (plugin.folder / "shape.py").is_file() else None


def reader_class(entry: DatasetEntry) -> type[DatasetReader]:
    """The reader of the dataset's format."""
    return find_plugin("formats", entry.format).load("reader").Reader
