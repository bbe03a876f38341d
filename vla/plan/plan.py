"""The plan: every run, evaluation and document that the configuration asks for, with its key.

Computed from configuration, code and pinned hashes alone, without reading data, both when
Snakemake parses and again in each job, which refuses to work under a key that no longer holds.
"""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from vla.config.datasets import DatasetEntry
from vla.config.imported import ImportedModel
from vla.config.workflow import WorkflowConfig
from vla.data.manifest import content_hash, read_manifest
from vla.data.pins import pinned_content
from vla.data.places import manifest_file
from vla.data.verification import current_record
from vla.errors import UserError, nearest
from vla.files.yaml import read_yaml
from vla.locks.files import KINDS, environment_name
from vla.plan.deployment import Deployment
from vla.plan.expansion import expand
from vla.plan.identity import Identities, documents, make_item
from vla.plan.items import Comparison, Evaluation, Experiment, Item, Run, Store, find
from vla.plan.keys import key_of
from vla.plan.missing import require_all
from vla.plan.plugins import chosen_reader
from vla.plan.reading import (
    ExperimentConfig,
    datasets_of,
    experiment_names,
    find_dataset,
    load_experiment,
    load_registry,
    shares_of,
    validate,
)
from vla.plan.stages import COMPARE, EXPERIMENT_REPORT, REPORT
from vla.plan.sweeping import combine, make_sweep, make_validation, require_unseen
from vla.plan.sweeps import Sweep
from vla.plan.weights import find_weights, load_weights, weights_named
from vla.weights.pinned import PinnedWeights
from vla.weights.verification import current_record as current_weights_record

NO_SEED = 0  # what names and tables say of a policy that no seed of this project decided


class Plan:
    """What `config/config.yaml` asks for."""

    def __init__(
        self,
        root: Path,
        config: dict[str, Any],
        deployment: Deployment | None = None,
        run: str = "",
    ):
        """`config`: content of config/config.yaml, with what the command line changed in it;
        `deployment`: by default the host environment of this machine; `run`: the run that is at
        work, if it is one run's job that asks."""
        self.root, self.run = root, run
        self.deployment = deployment or Deployment.here()
        self.config = validate(WorkflowConfig, config, root / "config/config.yaml")
        self.registry = load_registry(root)
        self.weights = load_weights(root)
        self._identities = Identities(root, self.deployment)
        self._known_stores: dict[tuple[str, tuple[str, ...]], Store] = {}

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        return {name: self._experiment(name) for name in self.config.experiments}

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        return tuple(self._comparison(*pair) for pair in self.config.comparisons)

    @cached_property
    def experiment_reports(self) -> dict[str, Item]:
        """Experiment -> the report of it alone, with the comparisons that it takes part in."""
        reports = {}
        for name, experiment in self.experiments.items():
            identity = {
                "readme": experiment.documents["readme"].key,
                "comparisons": [pair.key for pair in self.comparisons_of(name)],
                **self._identities.made_by(EXPERIMENT_REPORT),
            }
            if experiment.config.footprint:  # what the report assumes, and nothing else
                identity["footprint"] = experiment.config.footprint.model_dump(mode="json")
            reports[name] = make_item("report", identity)
        return reports

    def comparisons_of(self, name: str) -> tuple[Comparison, ...]:
        """The comparisons that an experiment takes part in."""
        return tuple(pair for pair in self.comparisons if name in (pair.baseline, pair.candidate))

    def experiment_report(self, name: str, *parts: str) -> Path:
        """The folder of an experiment's report, or a file in it."""
        return self.experiments[name].results(self.experiment_reports[name].name, *parts)

    @cached_property
    def report(self) -> Item:
        """The HTML report over all experiments."""
        identity = {
            "experiments": {
                name: e.documents["readme"].key for name, e in self.experiments.items()
            },
            "comparisons": [comparison.key for comparison in self.comparisons],
            **self._identities.made_by(REPORT),
        }
        return make_item("report", identity)

    @cached_property
    def datasets(self) -> dict[str, DatasetEntry]:
        """Datasets in use, by the name of their folder."""
        entries = [entry for e in self.experiments.values() for entry in e.datasets]
        return {Path(entry.path).name: entry for entry in entries}

    @cached_property
    def conda_environments(self) -> set[str]:
        """Names of the environments that the workflow's rules run in."""
        accelerators = {"cpu"} | {e.accelerator for e in self.experiments.values()}
        return {environment_name(kind, a) for kind in KINDS for a in accelerators}

    def verification(self, entry: DatasetEntry) -> Path:
        """The verification record that the dataset's present files need."""
        return current_record(entry, self.root, full=self.config.verification == "full")

    def weights_verification(self, weights: PinnedWeights) -> Path:
        """The verification record that the present files of pretrained weights need."""
        return current_weights_record(weights)

    def find_dataset(self, folder: str) -> DatasetEntry:
        """The registry's entry whose data lies in `data/<folder>`."""
        for entry in self.registry.values():
            if Path(entry.path).name == folder:
                return entry
        raise UserError(
            f"config/datasets.yaml no longer registers data/{folder}.", "Start snakemake again."
        )

    def find_experiment(self, name: str) -> Experiment:
        """A listed experiment. Of a sweep, the combination that `run` belongs to or, where no run is at
        work, the chosen one as soon as one is chosen."""
        experiment = self.find_whole(name)
        if not isinstance(experiment, Sweep):
            return experiment
        return experiment.of_run(self.run) if self.run else experiment.reported()

    def find_whole(self, name: str) -> Experiment:
        """A listed experiment with all its runs, those of every combination of a sweep."""
        if name not in self.config.experiments:
            raise UserError(
                f"config/config.yaml does not list {name!r}; {nearest(name, self.config.experiments)}",
                "List it there under experiments, or name a listed one.",
            )
        # Others may be half edited while a job of this one starts.
        return self._experiment(name)

    def find_sweep(self, name: str) -> Sweep:
        """A swept experiment as a whole; `UserError` when it is none."""
        experiment = self._experiment(name)
        if not isinstance(experiment, Sweep):
            raise UserError(
                f"experiments/{name}/config.yaml has no sweep any more.", "Start snakemake again."
            )
        return experiment

    def find_weights(self, name: str) -> PinnedWeights:
        """The registry's entry of that name."""
        return find_weights(self.weights, name, "A job")

    def read_experiment(self, name: str) -> Experiment:
        """An experiment folder, listed in config/config.yaml or not; a sweep as a whole."""
        return self._experiment(name)

    def find_store(self, name: str) -> Store:
        return find(tuple(store for e in self.experiments.values() for store in e.stores), name)

    def find_comparison(self, name: str) -> Comparison:
        return find(self.comparisons, name)

    def used_stores(self) -> set[str]:
        """Names of the stores that any experiment folder uses, listed or not, with conda or without.

        From a dataset that is not pinned here nothing was prepared. `UserError` when a folder does not
        tell: it may be half written.
        """
        accelerator = self.deployment.accelerator
        plans = [
            Plan(self.root, self.config.model_dump(mode="json"), Deployment(conda, accelerator))
            for conda in (False, True)
        ]
        names = set()
        for name in experiment_names(self.root):
            path = self.root / "experiments" / name / "config.yaml"
            config = load_experiment(path)
            if self._pinned(config, path):
                names |= {store.name for plan in plans for store in plan._all_stores(config, path)}
        return names

    def _all_stores(self, config: ExperimentConfig, path: Path) -> list[Store]:
        """Those of all combinations of a sweep, and those that these are chosen by."""
        if config.sweep is None:
            return list(self._stores(config, path))
        configs = [one.config for one in expand(read_yaml(path), config, path)]
        stores = [store for one in configs for store in self._stores(one, path)]
        return stores + [self._store_of(config.sweep.validation, one, path) for one in configs]

    def _experiment(self, name: str) -> Experiment:
        path = self.root / "experiments" / name / "config.yaml"
        if not path.is_file():
            raise UserError(
                f"config/config.yaml lists the experiment {name}, but {path} is missing.",
                "Copy an experiment folder, or take the name off the list.",
            )
        config = load_experiment(path)
        require_all(config, path, self.registry, self.root, self.deployment)
        if config.sweep:
            return self._sweep(name, config, path)
        experiment = self._trained(name, config, path)
        made = documents(self._identities, config, name, experiment.runs)
        return replace(experiment, documents=made)

    def _sweep(self, name: str, config: ExperimentConfig, path: Path) -> Sweep:
        require_unseen(config, path)
        combinations = []
        for one in expand(read_yaml(path), config, path):
            experiment = self._trained(name, one.config, path)
            store = self._store_of(config.sweep.validation, one.config, path)
            validations = tuple(
                make_validation(self._identities, experiment, run, store) for run in experiment.runs
            )
            combinations.append(combine(one, experiment, validations))
        return make_sweep(self._identities, name, config, path, combinations)

    def _trained(self, name: str, config: ExperimentConfig, path: Path) -> Experiment:
        """An experiment without its documents."""
        stores = self._stores(config, path)
        weights = tuple(
            find_weights(self.weights, named, path) for named in weights_named(config.model)
        )
        accelerator = self.deployment.resolve(config.resources.accelerator)
        runs = tuple(
            self._run(name, config, accelerator, stores, weights, seed) for seed in _seeds(config)
        )
        return Experiment(
            name=name,
            root=self.root,
            config=config,
            accelerator=accelerator,
            stores=stores,
            shares=tuple(shares_of(config.data).values()),
            runs=runs,
            documents={},
            weights=weights,
        )

    def _pinned(self, config: ExperimentConfig, source: Path) -> bool:
        """Whether the data of a configuration is pinned; before that nothing was prepared from it."""
        entries = (find_dataset(self.registry, name, source) for name in datasets_of(config))
        return all(manifest_file(entry, self.root).is_file() for entry in entries)

    def _stores(self, config: ExperimentConfig, source: Path) -> tuple[Store, ...]:
        """The stores that a configuration, read from `source`, trains on."""
        return tuple(self._store_of(name, config, source) for name in shares_of(config.data))

    def _store_of(self, name: str, config: ExperimentConfig, source: Path) -> Store:
        """The store of a registered dataset, with the cameras of a configuration."""
        cameras = config.data.cameras
        if (name, cameras) not in self._known_stores:
            entry = find_dataset(self.registry, name, source)
            self._known_stores[name, cameras] = self._store(name, entry, cameras)
        return self._known_stores[name, cameras]

    def _store(self, name: str, entry: DatasetEntry, cameras: tuple[str, ...]) -> Store:
        reader = chosen_reader(name, entry, self.root)
        content = content_hash(read_manifest(manifest_file(entry, self.root)))
        pinned = pinned_content(entry, content, cameras, self.root)
        identity = self._identities.store(content, cameras, pinned, reader)
        item = make_item(Path(entry.path).name, identity)
        return Store(item.name, item.key, identity, name, entry, cameras, pinned)

    def _run(
        self,
        name: str,
        config: ExperimentConfig,
        accelerator: str,
        stores: tuple[Store, ...],
        weights: tuple[PinnedWeights, ...],
        seed: int,
    ) -> Run:
        own_code = self.root / "experiments" / name / "train.py"
        shares = shares_of(config.data).values()
        data = {
            "stores": [
                store.identity | {"share": share}
                for store, share in zip(stores, shares, strict=True)
            ],
            "augmentation": config.data.augmentation,
        }
        if isinstance(config.model, ImportedModel):
            if own_code.is_file():
                raise UserError(
                    f"{own_code} would train a policy that {config.model.type} takes as it comes.",
                    "Remove it, or name a family in model.type that is trained here.",
                )
            identity = self._identities.imported(config, accelerator, *weights)
        else:
            identity = self._identities.run(config, own_code, accelerator, data, seed)
        if weights:
            identity["weights"] = {pinned.name: pinned.content for pinned in weights}
        key = key_of(identity)
        evaluations = tuple(
            self._evaluation(config, accelerator, key, condition)
            for condition in config.evaluation.conditions
        )
        return Run(f"seed{seed}-{key}", key, identity, seed, evaluations)

    def _evaluation(
        self, config: ExperimentConfig, accelerator: str, run: str, condition: str
    ) -> Evaluation:
        identity = self._identities.evaluation(config, accelerator, run, condition)
        key = key_of(identity)
        film = make_item("film", self._identities.film(config, accelerator, key))
        return Evaluation(f"{condition}-{key}", key, identity, condition, film)

    def _comparison(self, baseline: str, candidate: str) -> Comparison:
        pair = [self.experiments[name] for name in (baseline, candidate)]
        identity = {
            "summaries": [experiment.documents["summary"].key for experiment in pair],
            "names": [experiment.config.experiment.name for experiment in pair],
            **self._identities.made_by(COMPARE),
        }
        key = key_of(identity)
        return Comparison(f"comparison-{key}", key, identity, baseline, candidate)


def _seeds(config: ExperimentConfig) -> tuple[int, ...]:
    """Of an imported policy: NO_SEED, once."""
    if isinstance(config.model, ImportedModel):
        return (NO_SEED,)
    seed = config.experiment.seed
    return seed if isinstance(seed, tuple) else (seed,)
