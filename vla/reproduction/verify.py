"""Does one run reproduce another? A verdict in one word, with its reasons."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from vla.errors import UserError
from vla.files.described import File, check_file
from vla.records.circumstances import JobRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.reproduction.differences import differences, with_evaluations
from vla.reproduction.judgement import compare_losses, compare_rates
from vla.reproduction.places import placed

# Word -> exit code. A mistake of the user's has 1.
VERDICTS = {"identical": 0, "equivalent": 10, "undecided": 11, "different": 12}


@dataclass(frozen=True)
class FinishedRun:
    """One run as its records tell: `evaluations` in the order in which they were finished."""

    path: Path
    record: RunRecord
    evaluations: tuple[EvaluationRecord, ...]

    @property
    def folder(self) -> Path:
        """The experiment's, which file paths of records are relative to."""
        return RunRecord.folder_of(self.path)

    def has(self, file: File) -> bool:
        """Whether a recorded file is here; `UserError` when it is, with other bytes."""
        here = (self.folder / file.path).exists()
        if here:
            check_file(file, self.folder)
        return here

    def episodes(self, evaluation: EvaluationRecord) -> pd.DataFrame:
        return pd.read_parquet(check_file(evaluation.files.episodes, self.folder))


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
    content = RunRecord.read(record)
    found = sorted(record.parent.glob("*/evaluation.json"))
    # A record that was sent may lie beside evaluations of others.
    own = [e for e in map(EvaluationRecord.read, found) if e.run == content.key]
    own.sort(key=lambda evaluation: (evaluation.finished, evaluation.key))
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
    pairs, alone = pair_evaluations(one, other)
    found = with_evaluations(
        differences(one.record, other.record),
        {name: differences(*pair) for name, pair in pairs.items()},
    )
    words, reasons = [], []
    records = (one.record, other.record)
    same_policy, reason = _compare_bytes(
        one, other, [record.files.policy for record in records], _same_key(*records)
    )
    reasons.append(f"policy: {reason}")
    if not same_policy:
        word, reason = compare_losses(one.record, other.record, tolerance)
        words.append(word)
        reasons.append(f"final loss: {reason}")
    for name, pair in pairs.items():
        files = [evaluation.files.episodes for evaluation in pair]
        same, reason = _compare_bytes(one, other, files, same_policy and _same_key(*pair))
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


def pair_evaluations(
    one: FinishedRun, other: FinishedRun
) -> tuple[dict[str, tuple[EvaluationRecord, EvaluationRecord]], dict[str, str]]:
    """Evaluations to compare, by condition: the latest with equal keys, else the latest of each.

    And the conditions that only the 'first' or the 'second' run has.
    """
    mine, theirs = ({e.condition: e for e in run.evaluations} for run in (one, other))
    pairs = {name: (mine[name], theirs[name]) for name in mine if name in theirs}
    for evaluation in one.evaluations:
        for candidate in other.evaluations:
            if _same_key(evaluation, candidate) and evaluation.condition == candidate.condition:
                pairs[evaluation.condition] = (evaluation, candidate)
    alone = {name: "first" for name in mine if name not in theirs}
    alone |= {name: "second" for name in theirs if name not in mine}
    return pairs, alone


def _same_key(one: JobRecord, other: JobRecord) -> bool:
    return one.key == other.key


def _compare_bytes(
    one: FinishedRun, other: FinishedRun, files: list[File], expected: bool
) -> tuple[bool, str]:
    """Whether policies or episodes are the same bytes, and that in words.

    `expected`: whether equal keys, made from equal bytes, say that they should be.
    """
    first_here, second_here = (run.has(file) for run, file in zip((one, other), files, strict=True))
    first, second = (file.sha256 for file in files)
    same = first == second
    text = f"the same bytes (SHA-256 {first[:16]}…)"
    if not same:
        text = f"other bytes (SHA-256 {first[:16]}… and {second[:16]}…)"
    absent = [which for which, here in (("first", first_here), ("second", second_here)) if not here]
    if absent:
        text += f", of the {' and the '.join(absent)} by its record alone"
    if not same and expected:
        text += (
            "; the keys are equal, the bytes are not: something that decides bits is in no key, or "
            "a machine does not repeat its results"
        )
    return same, text


def _compare_episodes(
    one: FinishedRun,
    other: FinishedRun,
    pair: tuple[EvaluationRecord, EvaluationRecord],
    margin: float,
) -> tuple[str, str]:
    for run, evaluation in zip((one, other), pair, strict=True):
        if not run.has(evaluation.files.episodes):
            return "undecided", f"the episodes of {run.path} are not here"
    return compare_rates(one.episodes(pair[0]), other.episodes(pair[1]), margin)
