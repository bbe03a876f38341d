"""The table of claims, for terminals and as Markdown."""

import re

from vla.records.claims import ClaimsRecord
from vla.records.reproduction import JudgedClaim, ReproductionRecord
from vla.words import duration

LEVEL_WORDS = {
    "check": "every hash was compared; nothing was run",
    "figures": "from the shipped episodes and metrics",
    "evaluate": "the shipped policies ran again in simulation",
    "retrain": "trained and evaluated again",
}
HEADINGS = ("Claim", "Published", "Reproduced", "Tolerance", "Verdict", "Why")


def rows(outcome: ReproductionRecord) -> list[tuple[str, ...]]:
    """One row a claim, under HEADINGS."""
    return [
        (
            claim.says,
            shown(claim.published, claim.published_low, claim.published_high),
            _reproduced(claim),
            tolerance(claim.name, claim.tolerance),
            claim.verdict,
            claim.why,
        )
        for claim in outcome.claims
    ]


def render(outcome: ReproductionRecord) -> str:
    """The reproduction as Markdown."""
    changed = f" Changed on purpose: {', '.join(outcome.changed)}." if outcome.changed else ""
    lines = [
        f"# Reproduction of {outcome.experiment}: {outcome.verdict}",
        "",
        f"Level {outcome.level}: {LEVEL_WORDS[outcome.level]}.{changed} {outcome.time}; package "
        f"`{outcome.package[:16]}`.",
        "",
        *_table(HEADINGS, rows(outcome)),
    ]
    for kind, differences in outcome.differences.items():
        lines += ["", f"Differs in {kind}:", "", *(f"- {line}" for line in differences)]
    return "\n".join(lines) + "\n"


def claims_table(claims: ClaimsRecord) -> str:
    """Claim, command, expected value, time and hardware, as Markdown."""
    headings = ("Claim", "Expected", "Tolerance", "Command", "Time", "On")
    content = [
        (
            claim.says,
            shown(claim.value, claim.low, claim.high),
            tolerance(claim.name, claim.tolerance),
            f"`{claim.command}`",
            duration(claim.seconds) if claim.seconds is not None else "–",
            claim.hardware,
        )
        for claim in claims.claims
    ]
    return "\n".join(_table(headings, content))


def shown(value: float | str, low: float | None, high: float | None) -> str:
    """'93 % [86, 97]', '0.0123', or the beginning of a hash."""
    if low is not None and high is not None:
        return f"{100 * value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
    if isinstance(value, str):
        return f"{value[:12]}…" if re.fullmatch(r"[0-9a-f]{64}", value) else value
    return f"{value:.4g}"


def tolerance(name: str, value: float) -> str:
    if not value:
        return "the same"
    return f"±{100 * value:g} points" if name.startswith("success_rate") else f"{100 * value:g} %"


def _reproduced(claim: JudgedClaim) -> str:
    if claim.reproduced is None:
        return "–"
    return shown(claim.reproduced, claim.reproduced_low, claim.reproduced_high)


def _table(headings: tuple[str, ...], content: list[tuple[str, ...]]) -> list[str]:
    lines = [headings, ("---",) * len(headings), *content]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
