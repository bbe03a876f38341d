"""The plan: every run, evaluation and document that the configuration asks for, with its key.

Computed from configuration, code and pinned hashes alone, without reading data, both when
Snakemake parses and again in each job, which refuses to work under a key that no longer holds.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

from vla.config.datasets import DatasetEntry
from vla.config.workflow import WorkflowConfig
from vla.data.verification import current_record
from vla.errors import UserError, nearest
from vla.locks.files import environment_name
from vla.plan.deployment import Deployment
from vla.plan.experiments import Experiments
from vla.plan.identity import Identities, make_item
from vla.plan.items import Comparison, Experiment, Item, Store, find
from vla.plan.keys import key_of
from vla.plan.reading import load_demonstrations, load_registry, validate
from vla.plan.stages import (
    COMPARE,
    EXPERIMENT_REPORT,
    OTHER_RULES,
    REPORT,
    STAGES,
    simulator_kind,
)
from vla.plan.stores import used_stores
from vla.plan.sweeps import Sweep
from vla.plan.weights import find_weights, load_weights
from vla.weights.pinned import PinnedWeights
from vla.weights.verification import current_record as current_weights_record


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
        self._experiments = Experiments(
            root, self.deployment, self.registry, self.weights, self._identities
        )

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        return {name: self._experiments.plan(name) for name in self.config.experiments}

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
        simulators = [e.config.evaluation.simulator for e in self.experiments.values()]
        files = {entry.collect for entry in self.datasets.values() if entry.collect}
        for file in files | {self.config.demonstrations}:
            simulators.append(load_demonstrations(self.root / file).simulator)
        kinds = {*OTHER_RULES.values(), *(stage.environment for stage in STAGES)}
        kinds |= {simulator_kind(simulator, self.root) for simulator in simulators}
        return {environment_name(kind, a) for kind in kinds for a in accelerators}

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

    def find_experiment(self, name: str, listed: bool = True) -> Experiment:
        """An experiment that config/config.yaml lists, or need not. Of a sweep, the combination that `run`
        belongs to or, where no run is at work, the chosen one as soon as one is chosen."""
        experiment = self.find_whole(name) if listed else self.read_experiment(name)
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
        return self._experiments.plan(name)

    def find_sweep(self, name: str) -> Sweep:
        """A swept experiment as a whole; `UserError` when it is none."""
        experiment = self._experiments.plan(name)
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
        return self._experiments.plan(name)

    def find_store(self, name: str) -> Store:
        return find(tuple(store for e in self.experiments.values() for store in e.stores), name)

    def find_comparison(self, name: str) -> Comparison:
        return find(self.comparisons, name)

    def used_stores(self) -> set[str]:
        """Names of the stores that any experiment folder uses, listed or not, with conda or without."""
        return used_stores(self.root, self.registry, self.deployment.accelerator)

    def _comparison(self, baseline: str, candidate: str) -> Comparison:
        pair = [self.experiments[name] for name in (baseline, candidate)]
        identity = {
            "summaries": [experiment.documents["summary"].key for experiment in pair],
            "names": [experiment.config.experiment.name for experiment in pair],
            **self._identities.made_by(COMPARE),
        }
        key = key_of(identity)
        return Comparison(f"comparison-{key}", key, identity, baseline, candidate)
