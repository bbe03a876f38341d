"""An experiment's numbers under names, for papers: none of them is typed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vla.package.results import Results
from vla.records.comparison import ComparisonRecord
from vla.records.models import ModelsRecord
from vla.records.rates import ChainRates, ConditionRates, Rate
from vla.records.summary import SummaryRecord
from vla.words import CONDITIONS, duration, short_task


@dataclass(frozen=True)
class Row:
    """A row of the table of success rates; `rates`: by condition, None where it was not evaluated."""

    label: str
    rates: tuple[Rate | None, ...]


@dataclass(frozen=True)
class PaperNumbers:
    """`values`: name -> text; `rows`, under `conditions`: the table; `source`: what it was computed from."""

    experiment: str
    values: dict[str, str]
    conditions: tuple[str, ...]
    rows: tuple[Row, ...]
    source: str


def paper_numbers(results: Results, comparisons: Iterable[ComparisonRecord] = ()) -> PaperNumbers:
    """The numbers of finished results, from their records.

    `comparisons`: those in which the experiment is the candidate.
    """
    summary_file = results.document("summary", "summary.json")
    summary = SummaryRecord.read(summary_file)
    models = ModelsRecord.read(results.document("models", "models.json"))
    runs = list(results.runs.values())
    values = {
        "version": models.version,
        "parameters": f"{models.parameters:,}",
        "seeds": str(len(runs)),
        "training_time": duration(sum(run.training_seconds for run in runs)),
        "gpu_hours": f"{sum(run.gpu_hours or 0 for run in runs):.1f}",
        "commit": (runs[0].git.commit or "")[:12],
    }
    if summary.target is not None:
        values |= {"target": _percent(summary.target), "verdict": summary.verdict}
    for condition, rates in summary.conditions.items():
        values |= condition_numbers(condition, rates)
    trained = {s: run for s, run in results.runs.items() if not math.isnan(run.final_loss)}
    for seed, run in trained.items():
        values[f"final_loss/seed{seed}"] = f"{run.final_loss:.4g}"
    for record in comparisons:
        values |= comparison_numbers(record)
    experiment = results.layout.experiment
    return PaperNumbers(
        experiment=experiment,
        values={f"{experiment}/{name}": value for name, value in values.items()},
        conditions=tuple(summary.conditions),
        rows=_rows(summary),
        source=summary_file.parent.name,
    )


def condition_numbers(condition: str, rates: ConditionRates) -> dict[str, str]:
    """Of all tasks and of each, in percent; the spread between training seeds; of chains, their length."""
    values = _named(f"success_rate/{condition}", rates.overall)
    for task, rate in rates.by_task.items():
        values |= _named(f"success_rate/{condition}/{task}", rate)
    if rates.spread_between_seeds is not None:
        values[f"spread/{condition}"] = _percent(rates.spread_between_seeds)
    if rates.chains:
        values |= _of_chains(f"chains/{condition}", rates.chains)
    return values


def comparison_numbers(record: ComparisonRecord) -> dict[str, str]:
    """Under each condition: the difference to the baseline in points with its interval, McNemar's p, pairs."""
    values = {}
    for condition, paired in record.by_condition.items():
        name = f"against/{record.experiments[0]}/{condition}"
        low, high = _points(paired.difference_low), _points(paired.difference_high)
        small = paired.p_value < 0.001
        values |= {
            f"{name}/difference": _points(paired.difference),
            f"{name}/interval": f"[{low}, {high}]",
            f"{name}/p": "p < 0.001" if small else f"p = {paired.p_value:.3f}",
            f"{name}/pairs": str(paired.pairs),
        }
    return values


def _points(fraction: float) -> str:
    """'+14', '−3'."""
    return f"{100 * fraction:+.0f}".replace("-", "−")


def _named(name: str, rate: Rate) -> dict[str, str]:
    """A rate in percent, its interval and its counts."""
    low, high = _percent(rate.low), _percent(rate.high)
    return {
        name: _percent(rate.rate),
        f"{name}/low": low,
        f"{name}/high": high,
        f"{name}/interval": f"[{low}, {high}]",
        f"{name}/successes": str(rate.successes),
        f"{name}/episodes": str(rate.episodes),
    }


def _of_chains(name: str, chains: ChainRates) -> dict[str, str]:
    """Subtasks solved in a row: their mean with its interval, and in percent of the chains."""
    low, high = f"{chains.low:.2f}", f"{chains.high:.2f}"
    values = {
        f"{name}/average_length": f"{chains.average_length:.2f}",
        f"{name}/average_length/interval": f"[{low}, {high}]",
        f"{name}/count": str(chains.chains),
    }
    for number, rate in enumerate(chains.in_a_row, 1):
        values |= _named(f"{name}/in_a_row_{number}", rate)
    return values


def _rows(summary: SummaryRecord) -> tuple[Row, ...]:
    tasks = dict.fromkeys(t for rates in summary.conditions.values() for t in rates.by_task)
    rows = [
        Row(short_task(task), tuple(r.by_task.get(task) for r in summary.conditions.values()))
        for task in tasks
    ]
    return (Row("all tasks", tuple(r.overall for r in summary.conditions.values())), *rows)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f}"


def cells(row: Row) -> list[str]:
    """'93 [86, 97]', in percent."""
    return [
        f"{_percent(rate.rate)} [{_percent(rate.low)}, {_percent(rate.high)}]" if rate else "–"
        for rate in row.rates
    ]


def headings(numbers: PaperNumbers) -> list[str]:
    return ["Task", *(CONDITIONS[condition] for condition in numbers.conditions)]
