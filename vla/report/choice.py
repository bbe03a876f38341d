"""What README and reports say of a sweep: its table, and by what one combination was chosen."""

from dataclasses import dataclass

from vla.plan.expansion import short_names, show
from vla.plan.items import Experiment
from vla.records.rates import Rate
from vla.records.sweep import SweepRecord

TITLE = "Effect of the swept parameters"
CAPTION = (
    "Each swept parameter against validation loss and success rate of the instructed test episodes. "
    "Faint dots: combinations, mean over training seeds. Strong dots: mean of all combinations with that "
    "value; bars: the same for each training seed, from the lowest to the highest. Parameters with more than "
    "12 values: means of eight groups of neighbouring values. Ringed: the chosen combination."
)
SHOWN = 20  # combinations where space is short


@dataclass(frozen=True)
class ChoiceRow:
    """One combination. `values`: as people write them; `loss`: validation loss, with its spread."""

    values: tuple[str, ...]
    seeds: int
    loss: float
    spread: float | None
    rate: Rate
    chosen: bool

    @property
    def loss_in_words(self) -> str:
        """'0.0531 ± 0.0012'."""
        spread = "" if self.spread is None else f" ± {self.spread:.2g}"
        return f"{self.loss:.4g}{spread}"


@dataclass(frozen=True)
class Choice:
    """A sweep as documents show it. `names`: of the parameters, short; `rows`: the chosen one first."""

    record: SweepRecord
    names: tuple[str, ...]
    rows: tuple[ChoiceRow, ...]


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
    return Choice(record, tuple(short_names(record.parameters).values()), rows)
