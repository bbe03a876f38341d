"""A `sweep:` section as configurations: pure functions of what is written, so that keys are known at once."""

import copy
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from vla.config.complete import ExperimentConfig
from vla.config.sweep import Range, SampleSection, SweepSection
from vla.errors import UserError, nearest
from vla.files.hashing import sha256_json
from vla.plan.reading import sections_in, validate

SECTIONS = ("model", "training", "data")  # which hold the hyperparameters of a run
# What the loss measures, or on whose scale: with another value it cannot be compared.
INCOMPARABLE = ("model.type", "model.chunk_length", "data.dataset", "data.mixture")
DIGITS = 4  # of a number that is computed: few enough to be written by hand
DRAWS = 100  # for each combination that is asked for, before the space is said to hold no more

Values = dict[str, Any]  # dotted path -> value


@dataclass(frozen=True)
class Combination:
    """One combination of a sweep. `label`: 'learning_rate=0.001, width=64'; `values`: by dotted path;
    `config`: complete, as if they were written out by hand."""

    label: str
    values: Values
    config: ExperimentConfig


def expand(content: dict[str, Any], config: ExperimentConfig, source: object) -> list[Combination]:
    """Every combination of an experiment's sweep, in the order of its parameters.

    `content`: of its config.yaml, read from `source`; `config`: the same, validated. `UserError` for an
    unknown path, a value that the schema refuses, two equal combinations, and too many runs.
    """
    sweep, mistake = config.sweep, f"{source}: sweep"
    for path in sweep.parameters:
        _check_path(path, type(config), f"{mistake}.parameters")
    seeds = config.experiment.seed
    runs = _count(sweep) * (len(seeds) if isinstance(seeds, tuple) else 1)
    if runs > sweep.max_runs:
        raise UserError(
            f"{mistake} asks for {runs:,} training runs; sweep.max_runs allows {sweep.max_runs:,}.",
            f"Set sweep.max_runs: {runs}, if you want as many; or take fewer values or seeds, or sweep.sample.",
        )
    names = short_names(tuple(sweep.parameters))
    plain = {name: part for name, part in content.items() if name != "sweep"}
    found: dict[str, Combination] = {}
    for values in _combinations(sweep, mistake):
        label = describe(values, names)
        changed = copy.deepcopy(plain)
        for path, value in values.items():
            _set(changed, path.split("."), value)
        checked = validate(type(config), changed, f"{source} (sweep: {label})")
        values = {path: _get(checked, path.split(".")) for path in values}
        label = describe(values, names)  # as the schema reads them: '1e-3' is 0.001
        if label in found:
            raise UserError(
                f"{mistake} has the combination {label} twice.",
                "Name each value once; a range of whole numbers needs room for its count.",
            )
        found[label] = Combination(label, values, checked)
    return list(found.values())


def short_names(paths: tuple[str, ...]) -> dict[str, str]:
    """Path -> the end of it that no other path has: `width` of `model.fusion.width`."""
    short = {}
    for path in paths:
        parts = path.split(".")
        ends = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        others = [other for other in paths if other != path]
        short[path] = next(
            end for end in ends if not any(f".{o}".endswith(f".{end}") for o in others)
        )
    return short


def describe(values: Values, names: dict[str, str]) -> str:
    """'learning_rate=0.001, width=64'."""
    return ", ".join(f"{names[path]}={show(value)}" for path, value in values.items())


def show(value: Any) -> str:
    """A value as people write it: 0.001, 64, true, [0.9, 0.95], ViT-B/16."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return value if isinstance(value, str) else json.dumps(value)


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted paths of all values of a model's sections."""
    for name, field in model.model_fields.items():
        sections = sections_in(field.annotation)
        for _, section in sections:
            yield from leaves(section, f"{prefix}{name}.")
        if not sections:
            yield prefix + name


def _check_path(path: str, model: type[ExperimentConfig], mistake: str) -> None:
    known = [leaf for leaf in leaves(model) if leaf.split(".")[0] in SECTIONS]
    if path in INCOMPARABLE:
        raise UserError(
            f"{mistake}: {path} changes what the validation loss measures: its values cannot be chosen by it.",
            "Make an experiment of each value, and list them under comparisons (docs/sweeps.md).",
        )
    if path == "training.sharding":
        raise UserError(
            f"{mistake}: {path} says how all runs of an experiment are trained, and is no parameter.",
            "Write it under training; make an experiment of each value to compare them.",
        )
    if path in known:
        return
    if path == "experiment.seed":
        raise UserError(
            f"{mistake}: seeds are no parameter: every combination is trained with each.",
            "Write them in experiment.seed, as in seed: [42, 43].",
        )
    if path in leaves(model):
        raise UserError(
            f"{mistake}: {path} is no hyperparameter of training; those begin with "
            + ", ".join(f"{section}." for section in SECTIONS[:-1])
            + f" or {SECTIONS[-1]}.",
            "Set it for the whole experiment.",
        )
    beginning = [leaf for leaf in known if leaf.startswith(f"{path}.")]
    hint = (
        f"it is a section: name one of {', '.join(beginning)}"
        if beginning
        else _nearest(path, known)
    )
    raise UserError(
        f"{mistake}: unknown path {path!r}; {hint}", "config/README.md documents every key."
    )


def _nearest(path: str, known: list[str]) -> str:
    """The nearest path: by its end where only the way to it is wrong."""
    same_end = [leaf for leaf in known if leaf.rpartition(".")[2] == path.rpartition(".")[2]]
    return f"did you mean {same_end[0]!r}?" if len(same_end) == 1 else nearest(path, known)


def _count(sweep: SweepSection) -> int:
    """Number of combinations, without making them."""
    if sweep.sample:
        return sweep.sample.count
    return math.prod(
        values.count if isinstance(values, Range) else len(values)
        for values in sweep.parameters.values()
    )


def _combinations(sweep: SweepSection, mistake: str) -> Iterator[Values]:
    if sweep.sample:
        yield from _drawn(sweep, sweep.sample, mistake)
        return
    lists = [
        _steps(values) if isinstance(values, Range) else values
        for values in sweep.parameters.values()
    ]
    for chosen in itertools.product(*lists):
        yield dict(zip(sweep.parameters, chosen, strict=True))


def _steps(values: Range) -> list[int | float]:
    """The values of a range, its ends as they are written."""
    between = [_place(values, number / (values.count - 1)) for number in range(1, values.count - 1)]
    return [values.low, *between, values.high]


def _drawn(sweep: SweepSection, sample: SampleSection, mistake: str) -> Iterator[Values]:
    """Distinct combinations. Each number follows from the seed, its place and its path alone: more
    combinations, or one more parameter, leave the others what they are."""
    seen = set()
    for number in range(DRAWS * sample.count):
        values = {
            path: _draw(values, _uniform(sample.seed, number, path))
            for path, values in sweep.parameters.items()
        }
        text = json.dumps(values)
        if text in seen:
            continue
        seen.add(text)
        yield values
        if len(seen) == sample.count:
            return
    raise UserError(
        f"{mistake}.sample asks for {sample.count} combinations; {len(seen)} different ones were found.",
        "Ask for fewer, or leave sample out: all of them are then tried.",
    )


def _uniform(seed: int, number: int, path: str) -> float:
    """A number in [0, 1), the same on every machine."""
    return int(sha256_json([seed, number, path])[:13], 16) / 16**13


def _draw(values: tuple[Any, ...] | Range, place: float) -> Any:
    if not isinstance(values, Range):
        return values[int(place * len(values))]
    if _whole(values) and values.spacing == "linear":  # each number as likely as every other
        return values.low + int(place * (values.high - values.low + 1))
    return _place(values, place)


def _place(values: Range, place: float) -> int | float:
    """The value at a `place` between 0 and 1."""
    if values.spacing == "linear":
        value = values.low + place * (values.high - values.low)
    else:
        value = values.low * (values.high / values.low) ** place
    if _whole(values):
        return round(value)
    return min(max(float(f"{value:.{DIGITS}g}"), values.low), values.high)


def _whole(values: Range) -> bool:
    return isinstance(values.low, int) and isinstance(values.high, int)


def _set(section: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        section = section.setdefault(name, {})
    section[names[-1]] = value


def _get(section: BaseModel, names: list[str]) -> Any:
    for name in names:
        section = getattr(section, name)
    return list(section) if isinstance(section, tuple) else section
