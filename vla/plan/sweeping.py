"""Puts a swept experiment together, once its combinations are planned like any other experiment."""

from dataclasses import fields, replace
from pathlib import Path

from vla.config.complete import ExperimentConfig
from vla.errors import UserError
from vla.plan import expansion
from vla.plan.identity import Identities, documents, make_item
from vla.plan.items import Experiment, Run, Store
from vla.plan.reading import shares_of
from vla.plan.sweeps import Combination, Sweep, Validation


def require_unseen(config: ExperimentConfig, source: Path) -> None:
    """`UserError` when runs train on what a sweep is to choose by."""
    validation = config.sweep.validation
    if validation in shares_of(config.data):
        raise UserError(
            f"{source}: sweep.validation: the runs train on {validation!r}: who chooses by it, chooses "
            "what was learnt by heart.",
            "Name a dataset that they do not train on (docs/sweeps.md).",
        )


def make_validation(
    identities: Identities, experiment: Experiment, run: Run, store: Store
) -> Validation:
    """The validation of one run of a combination, on `store`."""
    identity = identities.validation(
        experiment.config, experiment.accelerator, run.key, store.identity
    )
    item = make_item("validation", identity)
    return Validation(item.name, item.key, identity, store)


def combine(
    one: expansion.Combination, experiment: Experiment, validations: tuple[Validation, ...]
) -> Combination:
    """A planned experiment as a combination of its sweep."""
    values = {field.name: getattr(experiment, field.name) for field in fields(experiment)}
    return Combination(**values, label=one.label, values=one.values, validations=validations)


def make_sweep(
    identities: Identities,
    name: str,
    config: ExperimentConfig,
    source: Path,
    combinations: list[Combination],
) -> Sweep:
    """The whole, with the documents that its combinations share. `config`: what these have in common,
    read from `source`."""
    _refuse_equal(combinations, source)
    runs = tuple(run for combination in combinations for run in combination.runs)
    validations = [v for combination in combinations for v in combination.validations]
    identity = identities.sweep(
        [combination.label for combination in combinations],
        [validation.key for validation in validations],
        runs,
    )
    made = documents(identities, config, name, runs, make_item("sweep", identity))
    stores = [store for combination in combinations for store in combination.stores]
    stores += [validation.store for validation in validations]
    weights = [pinned for combination in combinations for pinned in combination.weights]
    return Sweep(
        name=name,
        root=identities.root,
        config=config,
        accelerator=combinations[0].accelerator,
        stores=tuple({store.name: store for store in stores}.values()),
        shares=(),
        runs=runs,
        documents=made,
        weights=tuple({pinned.name: pinned for pinned in weights}.values()),
        combinations=tuple(replace(one, documents=made) for one in combinations),
    )


def _refuse_equal(combinations: list[Combination], source: Path) -> None:
    """`UserError` when two combinations are one run: what differs between them decides nothing."""
    first: dict[str, Combination] = {}
    for combination in combinations:
        for run in combination.runs:
            other = first.setdefault(run.name, combination)
            if other is not combination:
                raise UserError(
                    f"{source}: sweep: {other.label} and {combination.label} are the same run, {run.name}.",
                    "What differs between them decides nothing: take it out of sweep.parameters.",
                )
