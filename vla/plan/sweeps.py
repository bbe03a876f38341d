"""A swept experiment in the plan: its combinations are experiments, and one of them is what is reported."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from vla.plan.items import Experiment, Item, Run, Store, find
from vla.records.halving import HalvingRecord
from vla.records.sweep import SweepRecord


@dataclass(frozen=True)
class Validation(Item):
    """The loss of a run's policy on demonstrations that it was not trained on, those of `store`."""

    store: Store


@dataclass(frozen=True)
class Rung(Validation):
    """The same of a run that is trained for `step` steps yet, at which runs may be stopped early."""

    step: int


@dataclass(frozen=True)
class Halving(Item):
    """Which combinations go on past `step`: the `keep` best of those that came so far."""

    step: int
    keep: int


@dataclass(frozen=True)
class Combination(Experiment):
    """One combination of a sweep, with its own configuration, stores and runs (one a seed).

    `label`: 'learning_rate=0.001, width=64'; `values`: dotted path -> value; `validations`: in the order
    of `runs`; `rungs`: one after another, each in that order. Its documents are those of the whole sweep.
    """

    label: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    validations: tuple[Validation, ...] = ()
    rungs: tuple[tuple[Rung, ...], ...] = ()

    def film_records(self) -> list[Path]:
        """None: nobody watches the films of hundreds of runs."""
        return []

    def find_validation(self, run: Run, name: str) -> Validation:
        """The validation of that name, of one of its runs."""
        validation = self.validations[self.runs.index(run)]
        return find((validation,), name)

    def validation_record(self, run: Run) -> Path:
        validation = self.validations[self.runs.index(run)]
        return self.results(run.name, validation.name, "validation.json")

    def find_rung(self, run: Run, name: str) -> Rung:
        """The rung of that name, of one of its runs."""
        number = self.runs.index(run)
        return find(tuple(of_runs[number] for of_runs in self.rungs), name)

    def rung_records(self, number: int) -> list[Path]:
        """Of all its runs at a rung, counted from 0."""
        pairs = zip(self.runs, self.rungs[number], strict=True)
        return [self.results(run.name, rung.name, "rung.json") for run, rung in pairs]


@dataclass(frozen=True)
class Sweep(Experiment):
    """A swept experiment as a whole: the runs of all its combinations; `config` is what they share.

    `stores` and `weights` are those that any of them needs, in no order. `halvings`: by which
    combinations are stopped early, in the order of their steps; none where all are trained to the end.
    """

    combinations: tuple[Combination, ...] = ()
    halvings: tuple[Halving, ...] = ()

    def film_records(self) -> list[Path]:
        return []

    @property
    def record(self) -> Path:
        """The record of the choice."""
        return self.document("sweep", "sweep.json")

    def of_run(self, name: str) -> Experiment:
        """The combination that a run belongs to; the sweep itself for the name of no run."""
        return self._by_run.get(name, self)

    @cached_property
    def _by_run(self) -> dict[str, Combination]:
        return {run.name: one for one in self.combinations for run in one.runs}

    def find_halving(self, name: str) -> int:
        """The number of the choice of that name, counted from 0."""
        return self.halvings.index(find(self.halvings, name))

    def halving_record(self, number: int) -> Path:
        """Of the choice at a rung, counted from 0."""
        return self.results(self.halvings[number].name, "halving.json")

    def candidates(self, number: int) -> tuple[Combination, ...]:
        """Those that are trained up to a rung, counted from 0; with the number of rungs, to the end.

        `UserError` while the choice at the rung before is not made.
        """
        if number == 0:
            return self.combinations
        going_on = HalvingRecord.read(self.halving_record(number - 1)).going_on
        return tuple(one for one in self.combinations if one.label in going_on)

    def finalists(self) -> tuple[Combination, ...]:
        """Those that are trained to the end; `UserError` while that is not decided."""
        return self.candidates(len(self.halvings))

    def decisions(self) -> list[HalvingRecord]:
        """The choices that are made, in the order of their rungs."""
        paths = [self.halving_record(number) for number in range(len(self.halvings))]
        return [HalvingRecord.read(path) for path in paths if path.is_file()]

    def most_steps(self) -> int:
        """Training steps of all runs together; fewer where some diverge."""
        seeds = len(self.combinations[0].runs)
        counts = [len(self.combinations), *(halving.keep for halving in self.halvings)]
        steps = [0, *(halving.step for halving in self.halvings)]
        before = sum(
            count * (until - since)
            for count, since, until in zip(counts, steps, steps[1:], strict=False)
        )
        lengths = sorted((one.config.training.num_steps for one in self.combinations), reverse=True)
        return seeds * (before + sum(length - steps[-1] for length in lengths[: counts[-1]]))

    def steps_in_words(self) -> str:
        """How many training steps all runs take together, and what early stopping saves of them."""
        lengths = [one.config.training.num_steps for one in self.combinations]
        seeds = len(self.combinations[0].runs)
        whole = f"{seeds * sum(lengths):,} steps"
        if not self.halvings:
            return whole
        stops = ", ".join(f"the best {h.keep} after step {h.step:,}" for h in self.halvings)
        return (
            f"at most {self.most_steps():,} of {whole} (early stopping: of {len(lengths)} combinations "
            f"{stops} go on), at least {seeds * min(lengths):,}, where all but one diverge"
        )

    def reported(self) -> Experiment:
        """The chosen combination; the sweep itself while none is chosen."""
        if not self.record.is_file():
            return self
        return self.of_run(SweepRecord.read(self.record).chosen.runs[0])


def trained_parts(experiment: Experiment) -> tuple[Experiment, ...]:
    """As `parts_of`, but of a sweep those that are trained to the end."""
    return experiment.finalists() if isinstance(experiment, Sweep) else (experiment,)


def parts_going_on(experiment: Experiment) -> tuple[Experiment, ...]:
    """As `parts_of`, without those combinations that were stopped early by now."""
    if not isinstance(experiment, Sweep):
        return (experiment,)
    stopped = {
        one.label
        for decision in experiment.decisions()
        for one in decision.candidates
        if not one.goes_on
    }
    return tuple(one for one in experiment.combinations if one.label not in stopped)


def parts_of(experiment: Experiment) -> tuple[Experiment, ...]:
    """The combinations of a sweep; any other experiment alone."""
    return experiment.combinations if isinstance(experiment, Sweep) else (experiment,)
