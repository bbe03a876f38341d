"""What a plan consists of: experiments, their runs and evaluations, each with its key and folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla.config.complete import ExperimentConfig
from vla.config.datasets import DatasetEntry
from vla.errors import UserError
from vla.weights.pinned import PinnedWeights


@dataclass(frozen=True)
class Item:
    """Something made under a key. `name` is its folder, `identity` all that the key covers."""

    name: str
    key: str
    identity: dict[str, Any]


@dataclass(frozen=True)
class Store(Item):
    """A dataset prepared for some cameras.

    `dataset`: its name in the registry; `pinned`: the content that the store must have, None
    where nothing pins it.
    """

    dataset: str
    entry: DatasetEntry
    cameras: tuple[str, ...]
    pinned: str | None


@dataclass(frozen=True)
class Evaluation(Item):
    """One condition's episodes of one run. `film`: the videos of some of them."""

    condition: str
    film: Item


@dataclass(frozen=True)
class Run(Item):
    """One training run: one experiment, one seed."""

    seed: int
    evaluations: tuple[Evaluation, ...]

    def find_evaluation(self, name: str) -> Evaluation:
        return find(self.evaluations, name)


@dataclass(frozen=True)
class Experiment:
    """One experiment folder, read and keyed.

    `stores`: of each dataset that it trains on; `shares`: of the samples, in the same order;
    `documents`: by name, those of stages.DOCUMENTS; `weights`: pretrained ones that its policy starts
    from.
    """

    name: str
    root: Path
    config: ExperimentConfig
    accelerator: str
    stores: tuple[Store, ...]
    shares: tuple[float, ...]
    runs: tuple[Run, ...]
    documents: dict[str, Item]
    weights: tuple[PinnedWeights, ...] = ()

    @property
    def datasets(self) -> tuple[DatasetEntry, ...]:
        """Registry entries of the datasets that it trains on."""
        return tuple(store.entry for store in self.stores)

    @property
    def folder(self) -> Path:
        return self.root / "experiments" / self.name

    def results(self, *parts: str) -> Path:
        return self.folder.joinpath("results", *parts)

    def document(self, name: str, *parts: str) -> Path:
        """The folder of a document, such as `summary`, or a file in it."""
        return self.results(self.documents[name].name, *parts)

    def run_record(self, run: Run) -> Path:
        return self.results(run.name, "run.json")

    def evaluation_record(self, run: Run, evaluation: Evaluation) -> Path:
        return self.results(run.name, evaluation.name, "evaluation.json")

    def film_record(self, run: Run, evaluation: Evaluation) -> Path:
        return self.results(run.name, evaluation.name, evaluation.film.name, "film.json")

    def film_records(self) -> list[Path]:
        """Of every evaluation."""
        return [self.film_record(run, e) for run in self.runs for e in run.evaluations]

    def find_run(self, name: str) -> Run:
        return find(self.runs, name)


@dataclass(frozen=True)
class Comparison(Item):
    """Two experiments on the same episodes."""

    baseline: str
    candidate: str


def find(items: tuple, name: str) -> Any:
    """The item of that name, or a `UserError`: the plan has changed."""
    for item in items:
        if item.name == name:
            return item
    raise UserError(
        f"{name} is no longer what configuration and code ask for: one of them was changed "
        "while the workflow ran.",
        "Start snakemake again; what is already made stays.",
    )
