"""The plug-ins that a plan chooses. Each is looked up once a process: finding one reads the entry
points of every installed package, which takes some ten milliseconds.
"""

from functools import cache
from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.errors import UserError, nearest
from vla.plugins import Plugin, find_plugin, plugins


@cache
def chosen_plugin(kind: str, name: str, root: Path | None = None) -> Plugin:
    """`find_plugin` of the project at `root`, by default this one; `UserError` without one."""
    return find_plugin(kind, name, root)


def chosen_reader(name: str, entry: DatasetEntry, root: Path) -> Plugin:
    """The plug-in that reads the dataset registered as `name` in the project at `root`.

    `UserError` when there is none, so that nobody waits for data that nothing can read.
    """
    try:
        return chosen_plugin("formats", entry.format, root)
    except UserError:
        known = [folder.replace("_", "-") for folder in plugins("formats", root)]
        if entry.format.lower().replace("_", "-") in known:
            raise
        raise UserError(
            f"The dataset {name} has the format {entry.format!r}, which nothing here reads; "
            f"{nearest(entry.format, known)}.",
            "Correct its format in config/datasets.yaml, convert the data to one that is read, or "
            "add a reader: docs/plugins.md.",
        ) from None
