"""`config/config.yaml` (what to run) and `config/datasets.yaml` (registry of datasets)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from vla.config.base import Section
from vla.config.load import nearest, read_yaml, validate
from vla.errors import UserError


class WorkflowConfig(Section):
    """What `snakemake` makes."""

    experiments: tuple[str, ...] = Field(min_length=1)
    """Folders in `experiments/`, in the order of tables and figures."""
    comparisons: tuple[tuple[str, str], ...] = ()
    """Pairs of experiments compared on the same episodes: [baseline, candidate]."""
    verification: Literal["changed", "full"] = "changed"
    """Whether datasets are hashed where files changed since the last time, or read in full each time."""

    verify: tuple[str, str] | None = None
    """Two runs (`experiments/E/results/seed42-KEY`) that `snakemake verify` compares."""
    archive_remote: str = ""
    """DVC remote that `vla archive` pushes finished experiments to; empty keeps them in DVC's cache."""
    allow_dirty: bool = False
    """Run with uncommitted code; records then keep it as a patch. By default `check_experiment` refuses."""

    @model_validator(mode="after")
    def _compared_are_run(self) -> "WorkflowConfig":
        for pair in self.comparisons:
            for name in pair:
                if name not in self.experiments:
                    raise ValueError(f"comparisons name {name!r}, which experiments does not list")
        return self


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


def load_registry(root: Path) -> dict[str, DatasetEntry]:
    path = root / "config/datasets.yaml"
    content = read_yaml(path)
    return {name: validate(DatasetEntry, entry, path) for name, entry in content.items()}


def find_dataset(registry: dict[str, DatasetEntry], name: str, source: Path) -> DatasetEntry:
    """The registry's entry of that name; an unknown name is a `UserError`."""
    if name not in registry:
        raise UserError(
            f"{source}: data.dataset: nobody registered {name!r}; {nearest(name, list(registry))}",
            "Register it in config/datasets.yaml, or use a registered name.",
        )
    return registry[name]
