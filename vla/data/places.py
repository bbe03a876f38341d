"""Where datasets and what is made from them lie in a project."""

from pathlib import Path

from vla.config.datasets import DatasetEntry


def dataset_folder(entry: DatasetEntry, root: Path) -> Path:
    return root / entry.path


def manifest_file(entry: DatasetEntry, root: Path) -> Path:
    """Hashes and sizes of the dataset's files."""
    return root / f"{entry.path}.manifest.json"


def pointer_file(entry: DatasetEntry, root: Path) -> Path:
    """DVC's pointer to the dataset."""
    return root / f"{entry.path}.dvc"


def pins_file(entry: DatasetEntry, root: Path) -> Path:
    """Content of the stores that are to be prepared from the dataset."""
    return root / f"{entry.path}.prepared.json"


def stores_folder(root: Path) -> Path:
    return root / "data/.prepared"


def store_record(root: Path, store: str) -> Path:
    """The record of a prepared store, written last; the store is the folder around it."""
    return stores_folder(root) / store / "prepared.json"
