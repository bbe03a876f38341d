"""The reader of a dataset's layout, chosen by the name that the registry gives."""

from types import ModuleType

from vla.config.datasets import DatasetEntry
from vla.data.formats.protocol import DatasetReader
from vla.plugins import find_plugin


def shape_module(entry: DatasetEntry) -> ModuleType | None:
    """What tells a dataset's sizes before it is read, if its format has that."""
    plugin = find_plugin("formats", entry.format)
    return plugin.load("shape") if (plugin.folder / "shape.py").is_file() else None


def reader_class(entry: DatasetEntry) -> type[DatasetReader]:
    """The reader of the dataset's format."""
    return find_plugin("formats", entry.format).load("reader").Reader
