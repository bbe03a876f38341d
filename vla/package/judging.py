"""A package's claims beside what came out: verdict, reasons, and what may explain a difference."""

from vla.errors import UserError
from vla.package.claims import Measured, measure
from vla.package.results import Results
from vla.records.claims import Claim, ClaimsRecord
from vla.records.reproduction import JudgedClaim, Verdict
from vla.reproduction.differences import differences, with_evaluations
from vla.reproduction.judgement import compare_rates

# From the best to the worst.
VERDICTS: tuple[Verdict, ...] = ("identical", "reproduced", "compatible", "not reproduced")
RATE_VERDICTS: dict[str, Verdict] = {
    "equivalent": "reproduced",
    "undecided": "compatible",
    "different": "not reproduced",
}


def judge_claims(
    claims: ClaimsRecord, published: Results, reproduced: Results | None, level: str
) -> tuple[JudgedClaim, ...]:
    """Each claim beside what came out at that level."""
    return tuple(
        _judge(claim, published, reproduced, claims.target)
        if reproduced and level in claim.levels
        else _judged(claim, None, "not tested", f"level {claim.levels[0]} tests it")
        for claim in claims.claims
    )


def worst(claims: tuple[JudgedClaim, ...]) -> Verdict:
    """The verdict on all claims that were tested."""
    words = {claim.verdict for claim in claims} & set(VERDICTS)
    return max(words, key=VERDICTS.index) if words else "not tested"


def _judge(
    claim: Claim, published: Results, reproduced: Results, target: float | None
) -> JudgedClaim:
    try:
        found = measure(claim, reproduced, target)
    except UserError as error:
        return _judged(claim, None, "not reproduced", error.problem)
    if claim.kind == "success rate":
        return _judged(claim, found, *_judge_rate(claim, published, reproduced))
    if found.value == claim.value:
        return _judged(claim, found, "identical", "the same")
    if claim.kind == "final loss":
        apart = abs(found.value - claim.value) / max(abs(found.value), abs(claim.value))
        word = "reproduced" if apart <= claim.tolerance else "not reproduced"
        return _judged(claim, found, word, f"{100 * apart:.1f} % apart")
    if claim.kind in ("verdict", "finding") and "undecided" in (claim.value, found.value):
        return _judged(claim, found, "compatible", "one of the two is undecided")
    if claim.kind == "figure":
        return _judged(claim, found, *_judge_figure(claim, published, reproduced))
    return _judged(claim, found, "not reproduced", "another")


def _judge_rate(claim: Claim, published: Results, reproduced: Results) -> tuple[Verdict, str]:
    one, other = (
        results.select(claim.condition, claim.task, claim.seed)
        for results in (published, reproduced)
    )
    if one.equals(other):
        return "identical", f"the same {len(one)} episodes with the same outcomes"
    word, why = compare_rates(one, other, claim.tolerance)
    return RATE_VERDICTS[word], why


def _judge_figure(claim: Claim, published: Results, reproduced: Results) -> tuple[Verdict, str]:
    """Another picture of the same numbers, as another release of Matplotlib draws it, reproduces it."""
    tables = [
        figure.data.sha256
        for results in (published, reproduced)
        for figure in results.figures.figures
        if claim.name == f"figure/{figure.name}" and figure.data
    ]
    if len(tables) == 2 and tables[0] == tables[1]:
        return "reproduced", "the same numbers, drawn with other bytes"
    return "not reproduced", "other numbers"


def _judged(claim: Claim, found: Measured | None, word: Verdict, why: str) -> JudgedClaim:
    return JudgedClaim(
        name=claim.name,
        says=claim.says,
        published=claim.value,
        published_low=claim.low,
        published_high=claim.high,
        reproduced=found.value if found else None,
        reproduced_low=found.low if found else None,
        reproduced_high=found.high if found else None,
        tolerance=claim.tolerance,
        verdict=word,
        why=why,
    )


def explain_differences(
    published: Results, reproduced: Results, level: str
) -> dict[str, tuple[str, ...]]:
    """What differs between the published jobs and those that were run here: kind -> lines.

    Runs are paired by training seed, and in their order where no seed is shared.
    """
    found: dict[str, dict[str, None]] = {}
    for one, other in _pairs(published, reproduced):
        trained = (published.runs[one], reproduced.runs[other])
        shared = [c for _, c in published.evaluations if (other, c) in reproduced.evaluations]
        evaluated = {
            c: differences(published.evaluations[one, c], reproduced.evaluations[other, c])
            for c in dict.fromkeys(shared)
            if level in ("evaluate", "retrain")
        }
        lines = with_evaluations(differences(*trained), evaluated)
        for kind, changes in lines.items():
            found.setdefault(kind, {}).update(dict.fromkeys(changes))
    return {kind: tuple(lines) for kind, lines in found.items()}


def _pairs(published: Results, reproduced: Results) -> list[tuple[int, int]]:
    shared = [seed for seed in published.runs if seed in reproduced.runs]
    if shared:
        return [(seed, seed) for seed in shared]
    return list(zip(published.runs, reproduced.runs, strict=False))
