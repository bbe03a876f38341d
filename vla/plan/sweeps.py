"""A swept experiment in the plan: its combinations are experiments, and one of them is what is reported."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from vla.plan.items import Experiment, Item, Run, Store, find
from vla.records.sweep import SweepRecord


@dataclass(frozen=True)
class Validation(Item):
    """The loss of a run's policy on demonstrations that it was not trained on, those of `store`."""

    store: Store


@dataclass(frozen=True)
class Combination(Experiment):
    """One combination of a sweep, with its own configuration, stores and runs (one a seed).

    `label`: 'learning_rate=0.001, width=64'; `values`: dotted path -> value; `validations`: in the order
    of `runs`. Its documents are those of the whole sweep.
    """

    label: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    validations: tuple[Validation, ...] = ()

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


@dataclass(frozen=True)
class Sweep(Experiment):
    """A swept experiment as a whole: the runs of all its combinations; `config` is what they share.

    `stores` and `weights` are those that any of them needs, in no order.
    """

    combinations: tuple[Combination, ...] = ()

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

    def reported(self) -> Experiment:
        """The chosen combination; the sweep itself while none is chosen."""
        if not self.record.is_file():
            return self
        return self.of_run(SweepRecord.read(self.record).chosen.runs[0])


def parts_of(experiment: Experiment) -> tuple[Experiment, ...]:
    """The combinations of a sweep; any other experiment alone."""
    return experiment.combinations if isinstance(experiment, Sweep) else (experiment,)
