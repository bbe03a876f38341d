"""Which experiments a public page compares on the episodes that they share, and how that came out,
under each condition that both were evaluated under.

A comparison that the workflow recorded is shown as it is. Of pairs without one, an experiment and the
one that it started from are compared here, and all pairs of a small lab: of a thousand experiments
there are half a million.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.plan.deployment import Deployment
from vla.plan.items import Comparison, Experiment
from vla.plan.plan import Plan
from vla.records.comparison import ComparisonRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.rates import PairedRates
from vla.statistics.comparison import Side, compare_all_sides, make_sides
from vla.statistics.episodes import read_episodes

ALL_PAIRS_UP_TO = 15  # experiments: 105 pairs, a tenth of a second each
# What tells under which circumstances episodes of the same seed begin in the same state.
PROTOCOL = ("simulator", "max_steps")


@dataclass(frozen=True)
class Pair:
    """A paired comparison. `rates`: by condition, `instructed` first; `sources`: (file from the root, SHA-256)."""

    baseline: str
    candidate: str
    rates: dict[str, PairedRates]
    recorded: bool
    sources: tuple[tuple[str, str], ...]


def find_recorded(root: Path, finished: dict[str, Experiment]) -> list[Comparison]:
    """Comparisons of present results that the workflow recorded, one a pair."""
    paths = sorted(root.glob("results/comparison-*/comparison.json"))
    pairs = {ComparisonRecord.read(path).experiments for path in paths}
    there = sorted(pair for pair in pairs if set(pair) <= finished.keys())
    if not there:
        return []
    asked = {"experiments": sorted({name for pair in there for name in pair}), "comparisons": there}
    found = {}
    for conda in (False, True):
        for item in Plan(root, asked, Deployment.here(conda)).comparisons:
            pair = (item.baseline, item.candidate)
            summaries = [finished[name].documents["summary"].key for name in pair]
            current = item.identity["summaries"] == summaries
            if current and (root / "results" / item.name / "comparison.json").is_file():
                found.setdefault(pair, item)
    return list(found.values())


def read_pairs(finished: dict[str, Experiment], recorded: list[Comparison]) -> list[Pair]:
    """Every paired comparison of the page, in the order of names."""
    known = {frozenset((item.baseline, item.candidate)) for item in recorded}
    pairs = [_read(finished, item) for item in recorded]
    made: dict[str, dict[str, Side]] = {}

    def sides(name: str) -> dict[str, Side]:
        if name not in made:
            made[name] = make_sides(read_episodes(finished[name]))
        return made[name]

    for baseline, candidate in _related(finished):
        one, other = finished[baseline], finished[candidate]
        if frozenset((baseline, candidate)) in known or not _same_protocol(one, other):
            continue
        known.add(frozenset((baseline, candidate)))
        try:
            rates = compare_all_sides(sides(baseline), sides(candidate))
        except UserError:  # they share no instructed episode that ended by itself
            continue
        sources = (*_episodes(one, rates), *_episodes(other, rates))
        pairs.append(Pair(baseline, candidate, rates, False, sources))
    return sorted(pairs, key=lambda pair: (pair.baseline, pair.candidate))


def _related(finished: dict[str, Experiment]) -> list[tuple[str, str]]:
    parents = [
        (experiment.config.experiment.parent, name)
        for name, experiment in finished.items()
        if experiment.config.experiment.parent in finished.keys() - {name}
    ]
    every = combinations(sorted(finished), 2) if len(finished) <= ALL_PAIRS_UP_TO else ()
    return [*parents, *every]


def _read(finished: dict[str, Experiment], item: Comparison) -> Pair:
    root = finished[item.baseline].root
    path = root / "results" / item.name / "comparison.json"
    rates = ComparisonRecord.read(path).by_condition
    sources = ((path.relative_to(root).as_posix(), sha256_file(path)),)
    return Pair(item.baseline, item.candidate, rates, True, sources)


def _same_protocol(one: Experiment, other: Experiment) -> bool:
    sections = [experiment.config.evaluation for experiment in (one, other)]
    return all(getattr(sections[0], name) == getattr(sections[1], name) for name in PROTOCOL)


def _episodes(experiment: Experiment, conditions: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Tables of its episodes under `conditions`: from the project's root, with the SHA-256 of their records."""
    found = []
    for run in experiment.runs:
        for evaluation in run.evaluations:
            if evaluation.condition in conditions:
                record = EvaluationRecord.read(experiment.evaluation_record(run, evaluation))
                file = record.files.episodes
                found.append((f"experiments/{experiment.name}/{file.path}", file.sha256))
    return tuple(found)
