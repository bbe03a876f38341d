"""Plans one experiment: its runs and evaluations with their keys, a sweep's for each combination."""

from dataclasses import replace
from pathlib import Path

from vla.config.complete import ExperimentConfig
from vla.config.datasets import DatasetEntry
from vla.config.imported import ImportedModel
from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.plan.deployment import Deployment
from vla.plan.expansion import expand
from vla.plan.identity import Identities, documents, make_item
from vla.plan.items import Evaluation, Experiment, Run, Store
from vla.plan.keys import key_of
from vla.plan.missing import require_all
from vla.plan.reading import load_experiment, shares_of
from vla.plan.stores import Stores
from vla.plan.sweeping import combine, make_sweep, make_validation, require_unseen
from vla.plan.sweeps import Sweep
from vla.plan.weights import find_weights, weights_named
from vla.weights.pinned import PinnedWeights

NO_SEED = 0  # what names and tables say of a policy that no seed of this project decided


class Experiments:
    """The experiment folders below `root`, listed in config/config.yaml or not."""

    def __init__(
        self,
        root: Path,
        deployment: Deployment,
        registry: dict[str, DatasetEntry],
        weights: dict[str, PinnedWeights],
        identities: Identities,
    ):
        self.root, self.deployment = root, deployment
        self.registry, self.weights = registry, weights
        self._identities = identities
        self._stores = Stores(root, registry, identities)

    def plan(self, name: str) -> Experiment:
        """That of a folder; a sweep as a whole. `UserError` names all that it lacks."""
        path = self.root / "experiments" / name / "config.yaml"
        if not path.is_file():
            raise UserError(
                f"config/config.yaml lists the experiment {name}, but {path} is missing.",
                "Copy an experiment folder, or take the name off the list.",
            )
        config = load_experiment(path)
        require_all(config, path, self.registry, self.weights, self.root, self.deployment)
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
            store = self._stores.find(config.sweep.validation, one.config, path)
            validations = tuple(
                make_validation(self._identities, experiment, run, store) for run in experiment.runs
            )
            combinations.append(combine(one, experiment, validations))
        return make_sweep(self._identities, name, config, path, combinations)

    def _trained(self, name: str, config: ExperimentConfig, path: Path) -> Experiment:
        """An experiment without its documents."""
        stores = self._stores.of(config, path)
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


def _seeds(config: ExperimentConfig) -> tuple[int, ...]:
    """Of an imported policy: NO_SEED, once."""
    if isinstance(config.model, ImportedModel):
        return (NO_SEED,)
    seed = config.experiment.seed
    return seed if isinstance(seed, tuple) else (seed,)
