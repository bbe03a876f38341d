"""What an experiment claims, computed from its records, and the same measured on other results."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vla.config.outcome import Finding
from vla.errors import UserError
from vla.package.results import Results
from vla.records.claims import Claim, ClaimsRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.statistics.claims import judge
from vla.statistics.rates import success_rate, verdict
from vla.words import CONDITIONS, short_task

# As `vla verify` judges by default: success rates within so many points, losses within a part of them.
RATE_MARGIN, LOSS_TOLERANCE = 0.1, 0.05
COMMAND = "python reproduce.py --level {}"
EPISODES = ("figures", "evaluate", "retrain")


@dataclass(frozen=True)
class Measured:
    """A value with its 95 % interval, where it has one."""

    value: float | str
    low: float | None = None
    high: float | None = None


def measure(claim: Claim, results: Results, target: float | None) -> Measured:
    """The value of what a claim is about, in these results. `UserError` where they do not have it."""
    if claim.kind == "success rate":
        rate = success_rate(_episodes(claim, results))
        return Measured(rate.rate, rate.low, rate.high)
    if claim.kind == "verdict":
        rate = success_rate(_episodes(claim, results))
        return Measured(verdict(rate.low, rate.high, target))
    if claim.kind == "finding":
        return Measured(judge(claim.finding, results.episodes).verdict)
    if claim.kind == "figure":
        for figure in results.figures.figures:
            if claim.name == f"figure/{figure.name}":
                return Measured(figure.picture.sha256)
        raise UserError(f"There is no {claim.name}.", "Draw it with the code of the package.")
    if claim.seed not in results.runs:
        raise UserError(
            f"No policy was trained with seed {claim.seed}.", "Reproduce it with that seed."
        )
    run = results.runs[claim.seed]
    return Measured(run.final_loss if claim.kind == "final loss" else run.files.policy.sha256)


def _episodes(claim: Claim, results: Results) -> pd.DataFrame:
    rows = results.select(claim.condition, claim.task, claim.seed)
    if rows.empty:
        raise UserError(
            f"No episode is of {claim.name}.", "Evaluate the conditions and tasks of it."
        )
    return rows


def list_claims(
    results: Results, target: float | None, findings: tuple[Finding, ...]
) -> ClaimsRecord:
    """Every claim of a finished experiment."""
    asked = [
        *_of_rates(results, target),
        *_of_findings(results, findings),
        *_of_figures(results),
        *_of_runs(results),
    ]
    claims = []
    for claim in asked:
        found = measure(claim, results, target)
        claims.append(
            claim.model_copy(update={"value": found.value, "low": found.low, "high": found.high})
        )
    return ClaimsRecord(experiment=results.layout.experiment, target=target, claims=tuple(claims))


def _of_rates(results: Results, target: float | None) -> Iterator[Claim]:
    evaluated = {condition for _, condition in results.evaluations}
    for condition in (name for name in CONDITIONS if name in evaluated):
        records = [r for (_, name), r in results.evaluations.items() if name == condition]
        facts = {
            "kind": "success rate",
            "tolerance": RATE_MARGIN,
            "condition": condition,
            **_tested(EPISODES, "evaluate", records, sum(r.episode_seconds for r in records)),
            "source": results.name(results.folder / records[0].files.episodes.path),
        }
        words = f"Success rate, {CONDITIONS[condition]}"
        yield _claim(name=f"success_rate/{condition}", says=words, **facts)
        if condition == "instructed" and target is not None:
            says = f"The target, a success rate of {100 * target:g} %"
            yield _claim(name="target", says=says, **facts | {"kind": "verdict", "tolerance": 0})
        for task in dict.fromkeys(results.select(condition, None, None)["task"]):
            yield _claim(
                name=f"success_rate/{condition}/{task}",
                says=f"{words}: {short_task(task)}",
                task=task,
                **facts,
            )


def _of_findings(results: Results, findings: tuple[Finding, ...]) -> Iterator[Claim]:
    records = list(results.evaluations.values())
    claimed = [finding for finding in findings if finding.claim]
    for number, finding in enumerate(claimed, 1):
        yield _claim(
            name=f"finding/{number}",
            kind="finding",
            says=finding.text,
            tolerance=0,
            finding=finding,
            source=results.name(results.document("summary", "summary.json")),
            **_tested(EPISODES, "evaluate", records, sum(r.episode_seconds for r in records)),
        )


def _of_figures(results: Results) -> Iterator[Claim]:
    for figure in results.figures.figures:
        yield _claim(
            name=f"figure/{figure.name}",
            kind="figure",
            says=f"Figure: {figure.title}",
            tolerance=0,
            source=results.name(results.folder / figure.picture.path),
            **_tested(("figures",), "figures", list(results.runs.values()), None),
        )


def _of_runs(results: Results) -> Iterator[Claim]:
    for seed, run in results.runs.items():
        tested = _tested(("retrain",), "retrain", [run], run.training_seconds)
        record = next(r for r in results.layout.runs if r.seed == seed)
        source = results.name(results.path(record.name, "run.json"))
        facts = {"seed": seed, "source": source, **tested}
        if not math.isnan(run.final_loss):  # as of a policy that was not trained here
            yield _claim(
                name=f"final_loss/seed{seed}",
                kind="final loss",
                says=f"Final training loss, seed {seed}",
                tolerance=LOSS_TOLERANCE,
                **facts,
            )
        # Elsewhere the same bits are promised on the same kind of processor alone.
        if run.determinism.mode == "portable" and run.device == "cpu":
            says = f"Bits of the trained policy, seed {seed} (SHA-256)"
            yield _claim(name=f"policy/seed{seed}", kind="policy", says=says, tolerance=0, **facts)


def _claim(**values: Any) -> Claim:
    """Before it is measured."""
    return Claim(value="", **values)


def _tested(
    levels: tuple[str, ...],
    level: str,
    records: Sequence[RunRecord | EvaluationRecord],
    seconds: float | None,
) -> dict[str, Any]:
    """How a claim is tested. `level`: of the command that is named; `records`: of the published jobs."""
    hardware = dict.fromkeys(_machine(record) for record in records)
    command = COMMAND.format(level)
    return {
        "levels": levels,
        "command": command,
        "seconds": seconds,
        "hardware": "; ".join(hardware),
    }


def _machine(record: RunRecord | EvaluationRecord) -> str:
    used = record.hardware
    gpus = ", ".join(gpu.name for gpu in used.gpus) if record.device.startswith("cuda") else ""
    return gpus or f"{used.cpu}, {used.cpu_threads} threads"
