"""The report of one experiment as a PDF to print, set by Typst. The same content gives the same bytes."""

import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from vla.errors import UserError
from vla.report.choice import SHOWN, Choice
from vla.report.content import Content, RateRow, ShownComparison, ShownFigure
from vla.report.footprint import Footprint
from vla.report.rollouts import strip
from vla.report.wording import energy_note, how_again
from vla.statistics.rates import describe, interval, percent
from vla.words import CONDITIONS, duration, short_task

TEMPLATE = "reports/templates/experiment.typ"
SHOWN_ROLLOUTS = 12  # a page of strips; the page on the screen has all


def render_pdf(report: Content, root: Path) -> bytes:
    """PDF, tagged for screen readers, with Typst's own fonts whatever the machine has.

    `UserError` with Typst's message when the template does not compile.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(root / TEMPLATE, folder / "main.typ")
        content = _content(report, _Pictures(folder))
        (folder / "report.json").write_text(json.dumps(content), encoding="utf-8")
        compiler = typst.Compiler(root=folder, ignore_system_fonts=True)
        try:
            return compiler.compile(input=folder / "main.typ", format="pdf")
        except typst.TypstError as error:
            raise UserError(
                f"{TEMPLATE} does not compile: {error.diagnostic}", "Mend the template."
            ) from None


class _Pictures:
    """Copies of what the PDF shows, where Typst may read them."""

    def __init__(self, folder: Path):
        self._folder, self._count = folder, 0

    def add(self, content: bytes, suffix: str) -> str:
        """The picture's name for the template."""
        self._count += 1
        name = f"picture-{self._count}{suffix}"
        (self._folder / name).write_bytes(content)
        return name

    def add_file(self, path: Path) -> str:
        return self.add(path.read_bytes(), path.suffix)


def _content(report: Content, pictures: _Pictures) -> dict[str, Any]:
    """All that the template prints, as text and numbers of JSON."""
    about, summary = report.about, report.summary
    instructed = summary.conditions["instructed"]
    ended = datetime.fromisoformat(report.ended)
    spread = instructed.spread_between_seeds
    return {
        "title": report.title,
        "folder": report.folder,
        "key": report.key,
        "ended": [ended.year, ended.month, ended.day, ended.hour, ended.minute, ended.second],
        "about": about,
        "origin": report.origin,
        "headline": describe(instructed.overall),
        "target": None if summary.target is None else percent(summary.target),
        "verdict": summary.verdict,
        "source": report.source,
        "conclusion": {
            "statement": report.conclusion.statement,
            "doubtful": report.conclusion.doubtful,
            "findings": [
                {"text": f.text, "verdict": f.verdict, "measured": f.measured}
                for f in report.conclusion.findings
            ],
        },
        "conditions": [_rate(row) for row in report.conditions],
        "tasks": [_rate(row) for row in report.tasks],
        "seeds": [_rate(row) for row in report.seeds],
        "choice": _choice(report.choice),
        "chains": [
            {
                "condition": CONDITIONS[name],
                "chains": rates.chains.chains,
                "in_a_row": [percent(rate.rate) for rate in rates.chains.in_a_row],
                "length": f"{rates.chains.average_length:.2f}",
                "interval": f"{rates.chains.low:.2f} to {rates.chains.high:.2f}",
                "source": report.source,
            }
            for name, rates in summary.conditions.items()
            if rates.chains
        ],
        "mean": percent(instructed.mean_over_seeds),
        "spread": None if spread is None else f"{100 * spread:.1f} points",
        "figures": [_figure(figure, pictures) for figure in report.figures],
        "comparisons": [_comparison(c, pictures) for c in report.comparisons],
        "rollouts": [
            {
                "picture": pictures.add(strip(rollout.film), ".jpg"),
                "title": rollout.title,
                "task": short_task(rollout.task),
                "condition": CONDITIONS[rollout.condition],
                "outcome": rollout.outcome,
                "seed": rollout.seed,
                "episode": rollout.episode,
                "source": rollout.source,
            }
            for rollout in report.rollouts[:SHOWN_ROLLOUTS]
        ],
        "more_rollouts": max(0, len(report.rollouts) - SHOWN_ROLLOUTS),
        "events": list(report.events),
        "compute": _compute(report),
        "footprint": _footprint(report.footprint),
        "energy_note": energy_note(report.compute, report.footprint),
        "checklist": [list(item) for item in report.checklist],
        "runs": [
            {
                "seed": run.record.seed,
                "name": run.name,
                "parameters": f"{run.record.parameters / 1e6:.2f} M",
                "loss": "–" if report.origin else f"{run.record.final_loss:.4f}",
                "policy": run.record.files.policy.sha256[:16],
                "source": run.source,
            }
            for run in report.runs
        ],
        "again": how_again(report),
        "sources": [
            {"number": s.number, "what": s.what, "run": s.run, "path": s.path, "sha256": s.sha256}
            for s in report.sources
        ],
    }


def _choice(choice: Choice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {
        "label": choice.record.chosen.label,
        "by": choice.record.chosen_by,
        "names": list(choice.names),
        "rows": [
            {
                "values": list(row.values),
                "seeds": str(row.seeds),
                "loss": row.loss_in_words,
                "rate": row.outcome,
                "chosen": row.chosen,
            }
            for row in choice.rows[:SHOWN]
        ],
        "more": max(0, len(choice.rows) - SHOWN),
        "table": choice.record.table.path,
    }


def _rate(row: RateRow) -> dict[str, Any]:
    return {
        "condition": row.condition,
        "task": row.task,
        "seed": row.seed,
        "successes": row.rate.successes,
        "episodes": row.rate.episodes,
        "crashes": row.rate.crashes,
        "rate": percent(row.rate.rate),
        "interval": interval(row.rate),
        "source": row.source,
    }


def _figure(figure: ShownFigure, pictures: _Pictures) -> dict[str, Any]:
    return {
        "title": figure.title,
        "caption": figure.caption,
        "picture": pictures.add_file(figure.print or figure.picture),
        "source": figure.source,
    }


def _comparison(comparison: ShownComparison, pictures: _Pictures) -> dict[str, Any]:
    record = comparison.record
    return {
        "names": list(record.names),
        "conditions": [
            {
                "name": CONDITIONS[name],
                "statement": paired.statement,
                "pairs": paired.pairs,
                "both_succeed": paired.both_succeed,
                "only_baseline": paired.only_baseline,
                "only_candidate": paired.only_candidate,
                "both_fail": paired.both_fail,
            }
            for name, paired in record.by_condition.items()
        ],
        "figure": _figure(comparison.figure, pictures),
        "tasks": [
            {
                "task": short_task(task),
                "condition": CONDITIONS[name],
                "pairs": pair.pairs,
                "baseline": percent(pair.baseline),
                "candidate": percent(pair.candidate),
                "difference": f"{100 * (pair.candidate - pair.baseline):+.0f}",
            }
            for name, paired in record.by_condition.items()
            for task, pair in paired.by_task.items()
        ],
    }


def _footprint(footprint: Footprint | None) -> dict[str, Any] | None:
    if footprint is None:
        return None
    return {
        "rows": [[part.what, part.energy, part.basis] for part in footprint.parts],
        "energy": footprint.energy,
        "carbon": footprint.carbon,
        "assumed": list(footprint.assumed),
    }


def _compute(report: Content) -> list[dict[str, Any]]:
    return [
        {
            "seed": row.seed,
            "device": row.device,
            "attempts": row.attempts,
            "training": duration(row.training_seconds),
            "evaluation": duration(row.evaluation_seconds),
            "cpu_hours": f"{row.cpu_hours:.2f}",
            "gpu_hours": "not recorded" if row.gpu_hours is None else f"{row.gpu_hours:.2f}",
            "energy": "not measured" if row.energy_kwh is None else f"≈ {row.energy_kwh:.3f} kWh",
            "source": run.source,
        }
        for row, run in zip(report.compute, report.runs, strict=True)
    ]
