"""Pins of prepared stores: what a dataset must have become before anything is trained on it.

`data/<name>.prepared.json`, committed beside the manifest, names the content of the store by the
dataset's content and the cameras. A run of a pinned store depends on what was prepared, not on the
code that prepared it: a new reader, or a faster one, makes no run anew.
"""

from pathlib import Path
from typing import Any

from vla.config.datasets import DatasetEntry
from vla.data.places import pins_file
from vla.errors import UserError
from vla.files.atomic import write_json
from vla.files.sealed import read_json

SCHEMA = 1


def pinned_content(
    entry: DatasetEntry, dataset: str, cameras: tuple[str, ...], root: Path
) -> str | None:
    """Content that the store of these cameras must have; None when it is not pinned.

    `dataset`: content hash of the dataset. Reads the small pin file alone.
    """
    for pin in _read(pins_file(entry, root)):
        if (pin["dataset"], tuple(pin["cameras"])) == (dataset, cameras):
            return pin["content"]
    return None


def pin_content(
    entry: DatasetEntry, dataset: str, cameras: tuple[str, ...], content: str, root: Path
) -> Path:
    """Pin a store's content, in place of what was pinned for these; returns the file to commit."""
    path = pins_file(entry, root)
    others = [
        pin for pin in _read(path) if (pin["dataset"], tuple(pin["cameras"])) != (dataset, cameras)
    ]
    pin = {"dataset": dataset, "cameras": list(cameras), "content": content}
    stores = sorted([*others, pin], key=lambda pin: (pin["dataset"], pin["cameras"]))
    write_json(path, {"schema": SCHEMA, "stores": stores})
    return path


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    content = read_json(path)
    try:
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']}")
        for pin in content["stores"]:
            if not all(isinstance(pin[name], str) for name in ("dataset", "content")):
                raise ValueError("a hash is no text")
            tuple(pin["cameras"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} holds no pins of prepared stores ({error!r}).",
            f"Restore it: git checkout -- {path}",
        ) from None
    return content["stores"]
