"""What README and reports say of a sweep: its table, and by what one combination was chosen."""

from dataclasses import dataclass

from vla.plan.expansion import short_names, show
from vla.plan.items import Experiment
from vla.records.rates import Rate
from vla.records.sweep import SweepRecord
from vla.statistics.ranking import describe_stop
from vla.statistics.rates import describe

TITLE = "Effect of the swept parameters"
CAPTION = (
    "Each swept parameter against validation loss and success rate of the instructed test episodes. "
    "Faint dots: combinations, mean over training seeds. Strong dots: mean of all combinations with that "
    "value; bars: the same for each training seed, from the lowest to the highest. Parameters with more than "
    "12 values: means of eight groups of neighbouring values. Ringed: the chosen combination."
)
STOPPED = (
    " Crosses: combinations that were stopped early, at the loss of that step, not of the last one."
)
SHOWN = 20  # combinations where space is short


@dataclass(frozen=True)
class ChoiceRow:
    """One combination. `values`: as people write them; `loss`: validation loss, with its spread; None, as
    `rate`, of one that was stopped early, where `stopped` says how."""

    values: tuple[str, ...]
    seeds: int
    loss: float | None = None
    spread: float | None = None
    rate: Rate | None = None
    chosen: bool = False
    stopped: str = ""

    @property
    def outcome(self) -> str:
        """'85.0 % (34/40)' with its interval, or how it was stopped."""
        return self.stopped or describe(self.rate)

    @property
    def loss_in_words(self) -> str:
        """'0.0531 ± 0.0012'."""
        if self.loss is None:
            return "–"
        spread = "" if self.spread is None else f" ± {self.spread:.2g}"
        return f"{self.loss:.4g}{spread}"


@dataclass(frozen=True)
class Choice:
    """A sweep as documents show it. `names`: of the parameters, short; `rows`: the chosen one first, those
    that were stopped early last."""

    record: SweepRecord
    names: tuple[str, ...]
    rows: tuple[ChoiceRow, ...]

    @property
    def caption(self) -> str:
        """Of the figure."""
        return CAPTION + (STOPPED if self.record.stopped else "")


def read_choice(experiment: Experiment) -> Choice | None:
    """The choice that an experiment's results are those of; None where nothing was swept."""
    if "sweep" not in experiment.documents:
        return None
    record = SweepRecord.read(experiment.document("sweep", "sweep.json"))
    record.check_files(experiment.folder)
    rows = tuple(
        ChoiceRow(
            values=tuple(show(value) for value in one.values.values()),
            seeds=len(one.runs),
            loss=one.validation_loss,
            spread=one.validation_spread,
            rate=one.rate,
            chosen=one.label == record.chosen.label,
        )
        for one in record.combinations
    )
    rows += tuple(
        ChoiceRow(
            values=tuple(show(value) for value in one.values.values()),
            seeds=len(one.runs),
            stopped=describe_stop(one.step, one.validation_loss, one.rank, one.candidates),
        )
        for one in record.stopped
    )
    return Choice(record, tuple(short_names(record.parameters).values()), rows)
