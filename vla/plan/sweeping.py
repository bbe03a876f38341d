"""Puts a swept experiment together, once its combinations are planned like any other experiment."""

from dataclasses import fields, replace
from pathlib import Path

from vla.config.complete import ExperimentConfig
from vla.errors import UserError
from vla.plan import expansion
from vla.plan.identity import Identities, documents, make_item
from vla.plan.items import Experiment, Run, Store
from vla.plan.reading import shares_of
from vla.plan.rungs import find_rungs
from vla.plan.sweeps import Combination, Halving, Rung, Sweep, Validation


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


def make_rung(
    identities: Identities, experiment: Experiment, run: Run, store: Store, step: int
) -> Rung:
    """The loss, on `store`, of one run of a combination after `step` steps."""
    identity = identities.rung(
        experiment.config, experiment.accelerator, run.key, store.identity, step
    )
    item = make_item("rung", identity)
    return Rung(item.name, item.key, identity, store, step)


def make_rungs(
    identities: Identities, combinations: list[Combination], config: ExperimentConfig, source: Path
) -> tuple[list[Combination], tuple[Halving, ...]]:
    """The combinations with their rungs, and the choices there. `UserError` for a section
    `sweep.early_stopping`, read from `source`, that stops nothing."""
    rungs = find_rungs(config, [one.config for one in combinations], source)
    measured = [
        replace(
            one,
            rungs=tuple(
                tuple(
                    make_rung(identities, one, run, validation.store, step)
                    for run, validation in zip(one.runs, one.validations, strict=True)
                )
                for step, _ in rungs
            ),
        )
        for one in combinations
    ]
    halvings: list[Halving] = []
    for number, (step, keep) in enumerate(rungs):
        identity = identities.halving(
            [one.label for one in measured],
            [rung.key for one in measured for rung in one.rungs[number]],
            keep,
            halvings[-1].key if halvings else None,
        )
        item = make_item("halving", identity)
        halvings.append(Halving(item.name, item.key, identity, step, keep))
    return measured, tuple(halvings)


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
    combinations, halvings = make_rungs(identities, combinations, config, source)
    runs = tuple(run for combination in combinations for run in combination.runs)
    validations = [v for combination in combinations for v in combination.validations]
    identity = identities.sweep(
        [combination.label for combination in combinations],
        [validation.key for validation in validations],
        runs,
        [halving.key for halving in halvings],
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
        halvings=halvings,
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
