"""`package.json`: what a package of an experiment holds."""

from typing import Annotated, Literal

from pydantic import Field

from vla.records.base import Record
from vla.records.part import Part

# One folder's name: what a stranger's record says never leads out of the folder around it.
Folder = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]


class PackedEvaluation(Part):
    """One condition's episodes of one run."""

    name: Folder
    """Folder in the run's folder."""
    key: str
    condition: str
    film: Folder
    """Folder of its films, in the evaluation's own."""


class PackedRun(Part):
    """One training run with its evaluations."""

    name: Folder
    """Folder in the experiment's results."""
    key: str
    seed: int
    evaluations: tuple[PackedEvaluation, ...]


class Layout(Part):
    """Where the results of a finished experiment lie in its folder."""

    experiment: Folder
    """Folder in experiments/."""
    runs: tuple[PackedRun, ...]
    documents: dict[str, Folder]
    """Document, such as `summary` -> folder in the experiment's results."""


class PackedDataset(Part):
    """A dataset of the experiment."""

    name: str
    """In config/datasets.yaml."""
    version: str
    content: str
    """SHA-256 over names and hashes of all its files."""
    path: str
    """Folder, relative to the project."""
    files: int
    bytes: int
    source: str
    """Where it comes from."""
    licence: str
    packed: Literal["files", "store", "pointer"]
    """Its files are in `data/`; or in a DVC store that the source holds; or only its pointer and
    manifest are packed, and `dvc pull` must bring the files."""


class Author(Part):
    """Who made it, as the project's CITATION.cff says."""

    name: str
    """`Family, Given` of a person."""
    person: bool
    """Whether it is a person; else a group or organisation."""
    orcid: str | None = None
    """Address."""
    affiliation: str | None = None
    website: str | None = None
    """Address."""


class PackageRecord(Record):
    """What a package of an experiment holds."""

    KIND = "package"
    WAY_OUT = "Ask for the package again: this one is not as it was made."

    title: str
    version: str
    """Semantic version of the experiment's models."""
    commit: str
    """Of the source."""
    committed: str
    """Time of that commit, ISO 8601."""
    authors: tuple[Author, ...]
    repository: str = ""
    """Address of the source's repository, as CITATION.cff says; empty where it says none."""
    licence: str
    """SPDX identifier of the models' licence, else of the code's; empty where neither is stated."""
    deployment: Literal["host", "conda"]
    """Environments that the results were made in."""
    accelerator: str
    """`cpu` or `cuda`."""
    weights: bool
    """Whether the trained weights are packed; else only their hashes, in the records."""
    layout: Layout
    datasets: tuple[PackedDataset, ...]


class SourceRecord(Record):
    """The files of a source tree as they were committed, where the tree came without Git."""

    KIND = "source"
    WAY_OUT = "Unpack the package again: this source is not as it was packed."

    commit: str
    files: dict[str, str]
    """Path -> SHA-256."""
