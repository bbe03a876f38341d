"""The prepared stores that experiments train on and are chosen by, each planned once."""

from pathlib import Path

from vla.config.complete import ExperimentConfig
from vla.config.datasets import DatasetEntry
from vla.data.manifest import content_hash, read_manifest
from vla.data.pins import pinned_content
from vla.data.places import manifest_file
from vla.files.yaml import read_yaml
from vla.plan.deployment import Deployment
from vla.plan.expansion import expand
from vla.plan.identity import Identities, make_item
from vla.plan.items import Store
from vla.plan.plugins import chosen_reader
from vla.plan.reading import (
    datasets_of,
    experiment_names,
    find_dataset,
    load_experiment,
    shares_of,
)


class Stores:
    """Those of the datasets in `registry`."""

    def __init__(self, root: Path, registry: dict[str, DatasetEntry], identities: Identities):
        self.root, self.registry = root, registry
        self._identities = identities
        self._known: dict[tuple[str, tuple[str, ...]], Store] = {}

    def of(self, config: ExperimentConfig, source: Path) -> tuple[Store, ...]:
        """Those that a configuration, read from `source`, trains on."""
        return tuple(self.find(name, config, source) for name in shares_of(config.data))

    def find(self, name: str, config: ExperimentConfig, source: Path) -> Store:
        """That of a registered dataset, with the cameras of a configuration."""
        cameras = config.data.cameras
        if (name, cameras) not in self._known:
            entry = find_dataset(self.registry, name, source)
            self._known[name, cameras] = self._make(name, entry, cameras)
        return self._known[name, cameras]

    def of_all(self, config: ExperimentConfig, source: Path) -> list[Store]:
        """Those of all combinations of a sweep, and those that these are chosen by."""
        if config.sweep is None:
            return list(self.of(config, source))
        configs = [one.config for one in expand(read_yaml(source), config, source)]
        stores = [store for one in configs for store in self.of(one, source)]
        return stores + [self.find(config.sweep.validation, one, source) for one in configs]

    def _make(self, name: str, entry: DatasetEntry, cameras: tuple[str, ...]) -> Store:
        reader = chosen_reader(name, entry, self.root)
        content = content_hash(read_manifest(manifest_file(entry, self.root)))
        pinned = pinned_content(entry, content, cameras, self.root)
        identity = self._identities.store(content, cameras, pinned, reader)
        item = make_item(Path(entry.path).name, identity)
        return Store(item.name, item.key, identity, name, entry, cameras, pinned)


def used_stores(root: Path, registry: dict[str, DatasetEntry], accelerator: str) -> set[str]:
    """Names of the stores that any experiment folder uses, listed or not, with conda or without.

    From a dataset that is not pinned here nothing was prepared. `UserError` when a folder does not
    tell: it may be half written.
    """
    deployments = [Deployment(conda, accelerator) for conda in (False, True)]
    known = [Stores(root, registry, Identities(root, deployment)) for deployment in deployments]
    names = set()
    for name in experiment_names(root):
        path = root / "experiments" / name / "config.yaml"
        config = load_experiment(path)
        entries = [find_dataset(registry, dataset, path) for dataset in datasets_of(config)]
        if all(manifest_file(entry, root).is_file() for entry in entries):
            names |= {store.name for stores in known for store in stores.of_all(config, path)}
    return names
