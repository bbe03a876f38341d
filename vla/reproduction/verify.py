"""Does one run reproduce another? A verdict in one word, with its reasons."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from vla.errors import UserError
from vla.files.described import check_file
from vla.files.sealed import read_sealed
from vla.reproduction.differences import differences, with_evaluations
from vla.reproduction.judgement import compare_losses, compare_rates
from vla.reproduction.places import placed

# Word -> exit code. A mistake of the user's has 1.
VERDICTS = {"identical": 0, "equivalent": 10, "undecided": 11, "different": 12}

Record = dict[str, Any]


@dataclass(frozen=True)
class FinishedRun:
    """One run as its records tell: `evaluations` in the order in which they were finished."""

    path: Path
    record: Record
    evaluations: tuple[Record, ...]

    @property
    def folder(self) -> Path:
        """The experiment's, which file paths of records are relative to."""
        return self.path.parents[:3][-1]  # a record that was sent may lie right under the root

    def digest(self, record: Record, ending: str) -> tuple[str, bool]:
        """SHA-256 of the file that `record` names, and whether the file is here.

        `UserError` when it is here and has other bytes than were recorded.
        """
        file = _described(record, ending)
        here = (self.folder / file["path"]).exists()
        if here:
            check_file(file, self.folder)
        return file["sha256"], here

    def episodes(self, evaluation: Record) -> pd.DataFrame:
        file = _described(evaluation, "episodes.parquet")
        return pd.read_parquet(check_file(file, self.folder))


@dataclass
class Verdict:
    """`word`: identical, equivalent, undecided or different; `reasons`: lines for people."""

    word: str
    reasons: list[str] = field(default_factory=list)
    found: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [self.word.upper(), *(f"  {reason}" for reason in self.reasons)]
        for kind, changes in self.found.items():
            lines += [f"Differs in {kind}:", *(f"  {change}" for change in changes)]
        return "\n".join(lines)


def read_run(path: Path) -> FinishedRun:
    """A finished run: its folder (`experiments/E/results/seed42-KEY`) or its `run.json`."""
    record = placed(path / "run.json" if path.is_dir() else path)
    if record.name != "run.json":
        raise UserError(
            f"{path} is not a run.", "Name a folder experiments/E/results/seed…, or its run.json."
        )
    content = read_sealed(record)
    beside = [read_sealed(found) for found in sorted(record.parent.glob("*/evaluation.json"))]
    # A record that was sent may lie beside evaluations of others.
    own = [evaluation for evaluation in beside if evaluation["identity"]["run"] == content["key"]]
    own.sort(key=lambda evaluation: (evaluation["finished"], evaluation["key"]))
    return FinishedRun(record, content, tuple(own))


def verify(
    one: FinishedRun, other: FinishedRun, margin: float = 0.1, tolerance: float = 0.05
) -> Verdict:
    """Compare two runs: their bytes first; where these differ, what they achieve.

    The bytes are those on the disk, not only the records' word for them; where a record came alone,
    that is said. A condition that one run alone evaluated leaves the verdict undecided at best.

    `margin`: success rates count as equivalent when the 95 % interval of their difference lies
    within it on both sides; otherwise as different when it excludes zero.
    `tolerance`: part of the larger final loss by which the losses of the same model may differ; success
    rates are what counts, but runs whose losses disagree are not called equivalent.
    """
    pairs, alone = _pairs(one, other)
    found = with_evaluations(
        differences(one.record, other.record),
        {name: differences(*pair) for name, pair in pairs.items()},
    )
    words, reasons = [], []
    same_policy, reason = _compare_bytes(one, other, (one.record, other.record), "policy")
    reasons.append(f"policy: {reason}")
    if not same_policy:
        word, reason = compare_losses(one.record, other.record, tolerance)
        words.append(word)
        reasons.append(f"final loss: {reason}")
    for name, pair in pairs.items():
        same, reason = _compare_bytes(one, other, pair, "episodes", same_policy)
        reasons.append(f"episodes, {name}: {reason}")
        if not (same and same_policy):
            word, reason = _compare_episodes(one, other, pair, margin)
            words.append(word)
            reasons.append(f"success rate, {name}: {reason}")
    for name, which in alone.items():
        words.append("undecided")
        reasons.append(f"episodes, {name}: only the {which} run has them")
    if not pairs and not alone:
        words.append("undecided")
        reasons.append("Neither run was evaluated: only the policies were compared.")
    best = "identical" if same_policy and not words else "equivalent"
    word = next((w for w in ("different", "undecided") if w in words), best)
    return Verdict(word, reasons, found)


def _pairs(
    one: FinishedRun, other: FinishedRun
) -> tuple[dict[str, tuple[Record, Record]], dict[str, str]]:
    """Evaluations to compare, by condition: the latest with equal keys, else the latest of each.

    And the conditions that only the 'first' or the 'second' run has.
    """
    mine, theirs = ({e["condition"]: e for e in run.evaluations} for run in (one, other))
    pairs = {name: (mine[name], theirs[name]) for name in mine if name in theirs}
    for evaluation in one.evaluations:
        for candidate in other.evaluations:
            if all(evaluation[name] == candidate[name] for name in ("condition", "key")):
                pairs[evaluation["condition"]] = (evaluation, candidate)
    alone = {name: "first" for name in mine if name not in theirs}
    alone |= {name: "second" for name in theirs if name not in mine}
    return pairs, alone


def _compare_bytes(
    one: FinishedRun,
    other: FinishedRun,
    records: tuple[Record, Record],
    what: str,
    same_input: bool = True,
) -> tuple[bool, str]:
    """Whether policies or episodes are the same bytes, and that in words."""
    ending = {"policy": "policy.safetensors", "episodes": "episodes.parquet"}[what]
    (first, first_here), (second, second_here) = (
        run.digest(record, ending) for run, record in zip((one, other), records, strict=True)
    )
    same = first == second
    text = f"the same bytes (SHA-256 {first[:16]}…)"
    if not same:
        text = f"other bytes (SHA-256 {first[:16]}… and {second[:16]}…)"
    absent = [which for which, here in (("first", first_here), ("second", second_here)) if not here]
    if absent:
        text += f", of the {' and the '.join(absent)} by its record alone"
    if not same and same_input and records[0]["key"] == records[1]["key"]:
        text += (
            "; the keys are equal, the bytes are not: something that decides bits is in no key, or "
            "a machine does not repeat its results"
        )
    return same, text


def _compare_episodes(
    one: FinishedRun, other: FinishedRun, pair: tuple[Record, Record], margin: float
) -> tuple[str, str]:
    for run, evaluation in zip((one, other), pair, strict=True):
        if not run.digest(evaluation, "episodes.parquet")[1]:
            return "undecided", f"the episodes of {run.path} are not here"
    return compare_rates(one.episodes(pair[0]), other.episodes(pair[1]), margin)


def _described(record: Record, ending: str) -> dict[str, Any]:
    return next(file for file in record["files"] if file["path"].endswith(ending))
