"""What people concluded, beside what is measured now: from the same results, or from others?"""

from dataclasses import dataclass
from typing import Literal

from vla.config.outcome import DrawnFrom, Outcome
from vla.plan.items import Experiment
from vla.records.rates import Rates
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.statistics.claims import JudgedFinding, judge
from vla.statistics.episodes import read_episodes
from vla.words import CONDITIONS

Basis = Literal["", "these results", "other results", "unnamed results", "no results here"]


@dataclass(frozen=True)
class Conclusion:
    """An outcome beside the present results.

    `basis`: what it was drawn from; empty while nothing is concluded. `statement`: the same in words,
    with both results where they differ; `findings`: each with the verdict on its claim.
    """

    basis: Basis
    statement: str
    findings: tuple[JudgedFinding, ...] = ()

    @property
    def doubtful(self) -> bool:
        """Whether a reader must be told that the results shown may not be those it was drawn from."""
        return is_doubtful(self.basis)


def is_doubtful(basis: str | None) -> bool:
    """Whether a `Conclusion.basis`, or a field that holds one, leaves doubt."""
    return basis not in (None, "", "these results")


def conclude(experiment: Experiment) -> Conclusion:
    """The experiment's written outcome beside its finished results, each read through its record."""
    outcome = experiment.config.experiment.outcome
    present = present_results(experiment)
    if not any(finding.claim for finding in outcome.findings):
        return weigh(outcome, present, unjudged(outcome))
    episodes = read_episodes(experiment)
    return weigh(outcome, present, tuple(judge(finding, episodes) for finding in outcome.findings))


def present_results(experiment: Experiment) -> DrawnFrom:
    """What a conclusion that is drawn now is drawn from; `UserError` while it is not finished."""
    summary = SummaryRecord.read(experiment.document("summary", "summary.json"))
    runs = [RunRecord.read(experiment.run_record(run)) for run in experiment.runs]
    policies = {
        run.name: record.files.policy.sha256
        for run, record in zip(experiment.runs, runs, strict=True)
    }
    return name_results(summary, policies)


def name_results(rates: Rates, policies: dict[str, str]) -> DrawnFrom:
    """`policies`: run -> SHA-256 of its policy."""
    headline = rates.conditions["instructed"].overall
    return DrawnFrom(
        verdict=rates.verdict,
        success_rate=round(headline.rate, 4),
        interval=(round(headline.low, 4), round(headline.high, 4)),
        successes={
            condition: f"{content.overall.successes}/{content.overall.episodes}"
            for condition, content in rates.conditions.items()
        },
        policies={run: sha256[:12] for run, sha256 in policies.items()},
    )


def unjudged(outcome: Outcome) -> tuple[JudgedFinding, ...]:
    """Findings as they are written, where nothing is measured or claimed."""
    return tuple(JudgedFinding(finding.text) for finding in outcome.findings)


def weigh(
    outcome: Outcome, present: DrawnFrom | None, findings: tuple[JudgedFinding, ...]
) -> Conclusion:
    """Whether an outcome was drawn from the `present` results; None while there are none.

    The same policies with the same successes in every condition and the same verdict on the target
    are the same results, under whatever key they lie.
    """
    drawn = outcome.drawn_from
    if outcome.status == "open" and not outcome.findings:
        return Conclusion("", "", findings)
    if drawn is None:
        here = f"; here {describe(present)}" if present else ""
        statement = f"does not say which results it was drawn from{here}"
        return Conclusion("unnamed results", statement, findings)
    if present is None:
        statement = f"concluded from {describe(drawn)}; there are no results here yet"
        return Conclusion("no results here", statement, findings)
    if _same(drawn, present):
        return Conclusion("these results", "drawn from these results", findings)
    named = drawn.successes | present.successes
    others = [c for c in named if drawn.successes.get(c) != present.successes.get(c)]
    statement = f"concluded from {describe(drawn, others)}; here {describe(present, others)}"
    return Conclusion("other results", statement, findings)


def _same(drawn: DrawnFrom, present: DrawnFrom) -> bool:
    policies = [sorted(results.policies.values()) for results in (drawn, present)]
    measured = [(results.successes, results.verdict) for results in (drawn, present)]
    return policies[0] == policies[1] and measured[0] == measured[1]


def describe(results: DrawnFrom, conditions: list[str] | None = None) -> str:
    """'0cb7540e1234, 95 % [89, 98], met'; `conditions`: further ones whose successes are told."""
    low, high = results.interval
    verdict = [results.verdict] if results.verdict else []
    return ", ".join(
        [
            *results.policies.values(),
            f"{100 * results.success_rate:.0f} % [{100 * low:.0f}, {100 * high:.0f}]",
            *verdict,
            *(
                f"{CONDITIONS[condition]} {results.successes.get(condition, 'not evaluated')}"
                for condition in conditions or ()
                if condition != "instructed"
            ),
        ]
    )
