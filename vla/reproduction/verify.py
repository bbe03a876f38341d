"""Does one run reproduce another? A verdict in one word, with its reasons."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from vla.errors import UserError
from vla.files import check_file, read_sealed
from vla.reproduction.differences import differences
from vla.statistics.comparison import compare

# Word -> exit code. A mistake of the user's has 1.
VERDICTS = {"identical": 0, "equivalent": 10, "undecided": 11, "different": 12}


@dataclass(frozen=True)
class FinishedRun:
    """One run as its records tell: `evaluations` by condition."""

    path: Path
    record: dict[str, Any]
    evaluations: dict[str, dict[str, Any]]

    @property
    def folder(self) -> Path:
        """The experiment's, which file paths of records are relative to."""
        return self.path.parents[2]

    def described(self, record: dict[str, Any], ending: str) -> dict[str, Any]:
        return next(file for file in record["files"] if file["path"].endswith(ending))

    def episodes(self, condition: str) -> pd.DataFrame:
        file = self.described(self.evaluations[condition], "episodes.parquet")
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
    record = (path / "run.json" if path.is_dir() else path).absolute()
    if record.name != "run.json":
        raise UserError(
            f"{path} is not a run.", "Name a folder experiments/E/results/seed…, or its run.json."
        )
    evaluations = [read_sealed(found) for found in sorted(record.parent.glob("*/evaluation.json"))]
    current: dict[str, dict[str, Any]] = {}
    for evaluation in sorted(evaluations, key=lambda e: e["finished"]):
        current[evaluation["condition"]] = evaluation  # the latest of each condition
    return FinishedRun(record, read_sealed(record), current)


def verify(
    one: FinishedRun, other: FinishedRun, margin: float = 0.1, tolerance: float = 0.05
) -> Verdict:
    """Compare two runs: their bytes first; where these differ, what they achieve.

    `margin`: success rates count as equivalent when the 95 % interval of their difference, paired
    over the episodes both ran, lies within it on both sides; as different when it excludes zero.
    `tolerance`: part of the larger final loss by which the losses of the same model may differ; success
    rates are what counts, but runs whose losses disagree are not called equivalent.
    """
    found = differences(one.record, other.record)
    shared = [name for name in one.evaluations if name in other.evaluations]
    pairs = [("policy", "policy.safetensors", one.record, other.record)]
    pairs += [
        (f"episodes, {name}", "episodes.parquet", one.evaluations[name], other.evaluations[name])
        for name in shared
    ]
    reasons, same = [], True
    for name, ending, first, second in pairs:
        digests = [run.described(r, ending)["sha256"] for run, r in ((one, first), (other, second))]
        equal = digests[0] == digests[1]
        same &= equal
        reasons.append(
            f"{name}: the same bytes (SHA-256 {digests[0][:16]}…)"
            if equal
            else f"{name}: other bytes (SHA-256 {digests[0][:16]}… and {digests[1][:16]}…)"
        )
    if same:
        return Verdict("identical", reasons, found)
    if one.record["key"] == other.record["key"]:
        reasons.append(
            "The keys are equal, the bytes are not: something that decides bits is in no key, or a "
            "machine does not repeat its results."
        )
    word, reason = _compare_losses(one.record, other.record, tolerance)
    words = [word]
    reasons.append(f"final loss: {reason}")
    for name in shared:
        word, reason = _compare_rates(one.episodes(name), other.episodes(name), margin)
        words.append(word)
        reasons.append(f"success rate, {name}: {reason}")
    if not shared:
        reasons.append("Both have no evaluation of the same condition: only bytes were compared.")
        words.append("undecided")
    word = next((w for w in ("different", "undecided") if w in words), "equivalent")
    return Verdict(word, reasons, found)


def _compare_losses(
    one: dict[str, Any], other: dict[str, Any], tolerance: float
) -> tuple[str, str]:
    losses = [record["final_loss"] for record in (one, other)]
    text = f"{losses[0]:.6g} and {losses[1]:.6g}"
    if one["identity"]["model"] != other["identity"]["model"]:
        return "equivalent", f"{text}, not compared: another model"
    apart = abs(losses[0] - losses[1]) / max(map(abs, losses)) if any(losses) else 0.0
    text += f", {100 * apart:.1f} % apart"
    if apart <= tolerance:
        return "equivalent", f"{text}: within {100 * tolerance:g} %"
    return "undecided", f"{text}: more than {100 * tolerance:g} %"


def _compare_rates(one: pd.DataFrame, other: pd.DataFrame, margin: float) -> tuple[str, str]:
    result = compare(one, other)
    low, high = result["difference_low"], result["difference_high"]
    # Without a single differing pair the bootstrap sees no spread: then nothing bounds the
    # difference but the number of pairs (rule of three, Hanley and Lippman-Hand 1983).
    if low == high:
        bound = 3 / result["pairs"]
        low, high = low - bound, high + bound
    rates = [100 * result[name]["rate"] for name in ("baseline", "candidate")]
    interval = f"difference [{100 * low:+.0f}, {100 * high:+.0f}] points on {result['pairs']} pairs"
    text = f"{rates[0]:.0f} % and {rates[1]:.0f} %, {interval}"
    if low > 0 or high < 0:
        return "different", f"{text}: different"
    if -margin <= low and high <= margin:
        return "equivalent", f"{text}: within ±{100 * margin:.0f} points"
    return "undecided", f"{text}: neither shown different nor within ±{100 * margin:.0f} points"
