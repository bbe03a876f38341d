"""`config/datasets.yaml`: the registry of datasets."""

from pathlib import Path
from typing import Literal

from vla.config.base import Section


class DatasetEntry(Section):
    """One dataset of the registry."""

    version: str
    """Version of the dataset."""
    format: Literal["lerobot-v3", "calvin"]
    """Layout on disk."""
    source: str
    """Where it comes from."""
    licence: str
    """Licence, as an SPDX identifier where there is one."""
    path: str
    """Folder, relative to the project's root; tracked by `<path>.dvc`, listed in `<path>.manifest.json`."""

    def folder(self, root: Path) -> Path:
        return root / self.path

    def manifest(self, root: Path) -> Path:
        return root / f"{self.path}.manifest.json"

    def pointer(self, root: Path) -> Path:
        return root / f"{self.path}.dvc"
