"""What must be there before an experiment can be planned: data and weights pinned, simulator installed."""

import importlib.metadata
from pathlib import Path

from vla.config.complete import ExperimentConfig
from vla.config.datasets import DatasetEntry
from vla.config.evaluation import SimulatorSection
from vla.data.places import manifest_file
from vla.errors import UserError
from vla.plan.deployment import Deployment
from vla.plan.plugins import chosen_plugin, chosen_reader
from vla.plan.reading import datasets_of, find_dataset
from vla.plan.weights import find_weights, weights_named
from vla.weights.pinned import PinnedWeights


class MissingError(UserError):
    """Several things at once. `missing`: what it is called -> what is said of it and the way out."""

    def __init__(self, name: str, missing: dict[str, UserError]):
        self.missing = missing
        lines = [
            f"  {what}: {error.problem}\n    -> {error.way_out}" for what, error in missing.items()
        ]
        super().__init__(
            f"{name} lacks what a plan needs:\n" + "\n".join(lines),
            f"Mend these; `vla check {name}` looks again.",
        )

    def __reduce__(self) -> tuple:
        return UserError, (self.problem, self.way_out)


def require_all(
    config: ExperimentConfig,
    source: Path,
    registry: dict[str, DatasetEntry],
    weights: dict[str, PinnedWeights],
    root: Path,
    deployment: Deployment,
) -> None:
    """`MissingError` with everything that an experiment, read from `source`, lacks here."""
    missing = {}
    for name in datasets_of(config):
        entry = find_dataset(registry, name, source)
        for what, check in (("dataset", _unpinned), ("format", _unreadable)):
            if error := check(name, entry, root):
                missing[f"{what} {name}"] = error
    for name in weights_named(config.model):
        if error := _not_pinned(name, weights, source):
            missing[f"weights {name}"] = error
    simulator = config.evaluation.simulator
    if not deployment.use_conda and (error := _not_installed(simulator, root)):
        missing[f"simulator {simulator.type}"] = error
    if missing:
        raise MissingError(source.parent.name, missing)


def _unpinned(name: str, entry: DatasetEntry, root: Path) -> UserError | None:
    path = manifest_file(entry, root)
    if path.is_file():
        return None
    obtain = (
        f"{entry.obtain} Then pin it" if entry.obtain else f"Put it into {entry.path}/ and pin it"
    )
    return UserError(
        f"The dataset is not pinned here: {path} is missing.",
        f"{obtain}: vla pin {entry.path} (data/README.md, 'Add a dataset').",
    )


def _unreadable(name: str, entry: DatasetEntry, root: Path) -> UserError | None:
    try:
        chosen_reader(name, entry, root)
    except UserError as error:
        return error
    return None


def _not_pinned(name: str, weights: dict[str, PinnedWeights], source: Path) -> UserError | None:
    try:
        find_weights(weights, name, source).files  # noqa: B018 - an error where there are none
    except UserError as error:
        return error
    return None


def _not_installed(simulator: SimulatorSection, root: Path) -> UserError | None:
    config = chosen_plugin("simulators", simulator.type, root).load("config")
    lacking = [name for name in config.DISTRIBUTIONS if not _is_installed(name)]
    if not lacking:
        return None
    return UserError(
        f"{', '.join(lacking)}: not installed in the host environment.",
        f"{getattr(config, 'INSTALL', 'make setup')} installs it.",
    )


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
