"""The files of a public page: its list, an experiment's page and data, and what all of them share."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from vla.files.hashing import sha256_bytes
from vla.plan.sections import flat
from vla.records.rates import ConditionRates, PairedRates, Rate
from vla.report.content import Content
from vla.report.experiment_page import SHOWN_ROLLOUTS
from vla.report.provenance import Source
from vla.report.rollouts import strip
from vla.report.templates import TABULATOR, template_environment
from vla.report.wording import energy_note, how_again
from vla.site.entry import Entry
from vla.site.folder import Draft
from vla.site.pairs import Pair
from vla.statistics.rates import describe, percent
from vla.words import CONDITIONS, short_task

SHOWN_HASH = 12  # hex digits of a picture's name


class Pages:
    """Renders into a draft. Media are named by their content, so that equal ones are kept once a page."""

    def __init__(self, root: Path, draft: Draft):
        self._draft = draft
        self._environment = template_environment(root)
        self._templates = root / "reports/templates"
        self._tabulator = root / TABULATOR

    def add_shared(self, rows: list[dict[str, Any]]) -> None:
        """The list, the page of comparisons, and the scripts and styles of all pages.

        `rows`: one an experiment, as from `list_row`.
        """
        styles = ("page.css", "tables.css", "report.css", "site/site.css")
        style = "".join((self._templates / name).read_text("utf-8") for name in styles)
        self._draft.add("assets/site.css", style.encode())
        for name in ("tables.js", "report.js", "site/list.js", "site/compare.js"):
            self._draft.add(f"assets/{Path(name).name}", (self._templates / name).read_bytes())
        for ending in ("js", "css"):
            content = self._tabulator.with_name(f"{self._tabulator.name}.{ending}").read_bytes()
            self._draft.add(f"assets/tabulator.{ending}", content)
        for name in ("index", "compare"):
            template = self._environment.get_template(f"site/{name}.html.j2")
            self._draft.add(f"{name}.html", template.render(rows=rows).encode())
        self._draft.add("data/experiments.json", _json(rows))

    def add_experiment(self, entry: Entry, pairs: list[Pair]) -> None:
        """Its page with figures and films, and the numbers that comparisons load.

        `pairs`: those that it takes part in.
        """
        content, folder = entry.content, f"experiments/{entry.content.folder}"

        def place(path: Path) -> str:
            return self._place(folder, path.read_bytes(), path.suffix)

        self._environment.filters |= {
            "inline": place,
            "strip": lambda film: self._place(folder, strip(film), ".jpg"),
        }
        page = self._environment.get_template("site/experiment.html.j2").render(
            report=content,
            lineage=entry.lineage,
            stages=Counter(link.stage for link in entry.lineage),
            anchors={link.name: f"link-{number}" for number, link in enumerate(entry.lineage)},
            parent=entry.parent,
            children=entry.children,
            shown_rollouts=SHOWN_ROLLOUTS,
            loading="lazy",
            energy_note=energy_note(content.compute, content.footprint),
            again=how_again(content),
        )
        self._draft.add(f"{folder}/index.html", page.encode())
        self._draft.add(f"data/experiments/{content.folder}.json", _json(details(entry, pairs)))

    def _place(self, folder: str, content: bytes, suffix: str) -> str:
        """Keep a picture beside the page in `folder`; returns its name there."""
        name = f"{sha256_bytes(content)[:SHOWN_HASH]}{suffix}"
        self._draft.add(f"{folder}/{name}", content)
        return name


def list_row(entry: Entry) -> dict[str, Any]:
    """What the list shows of an experiment. Rates are fractions, as in the summary."""
    content = entry.content
    rates = content.summary.conditions["instructed"]
    config = entry.experiment.config
    return {
        "name": content.folder,
        "title": content.title,
        "hypothesis": content.about["hypothesis"],
        "policy": config.model.type,
        "dataset": ", ".join(config.data.mixture or [config.data.dataset]),
        "simulator": config.evaluation.simulator.type,
        "outcome": content.about["outcome"]["status"],
        "doubtful": content.conclusion.doubtful,
        "findings": [finding.text for finding in content.conclusion.findings],
        "success": _shown(rates.overall),
        "target": content.summary.target,
        "target_shown": "" if content.summary.target is None else percent(content.summary.target),
        "verdict": content.summary.verdict or "",
        "seeds": len(rates.by_seed),
        "parent": content.about["parent"],
        "finished": content.ended[:10],
        "summary_sha256": _summary(content).sha256,
    }


def details(entry: Entry, pairs: list[Pair]) -> dict[str, Any]:
    """What a comparison shows of an experiment, and its paired comparisons by the other's name."""
    content, config = entry.content, entry.experiment.config
    sections = {"model", "training", "data", "evaluation"}
    source = _summary(content)
    return {
        "name": content.folder,
        "title": content.title,
        "statement": content.summary.statement,
        "conditions": {
            name: _condition(name, rates) for name, rates in content.summary.conditions.items()
        },
        "seeds": [run.record.seed for run in content.runs],
        "config": entry.public(flat(config.model_dump(mode="json", include=sections))),
        "source": {"path": source.path, "sha256": source.sha256},
        "pairs": {
            pair.candidate if pair.baseline == content.folder else pair.baseline: _pair(pair)
            for pair in pairs
        },
    }


def _condition(name: str, rates: ConditionRates) -> dict[str, Any]:
    spread = rates.spread_between_seeds
    chains = rates.chains
    return {
        "title": CONDITIONS[name],
        "overall": _shown(rates.overall),
        "tasks": {task: _shown(rate) for task, rate in rates.by_task.items()},
        "short": {task: short_task(task) for task in rates.by_task},
        "spread": None if spread is None else f"{100 * spread:.1f} points",
        "length": chains and f"{chains.average_length:.2f} [{chains.low:.2f}, {chains.high:.2f}]",
    }


def _shown(rate: Rate) -> dict[str, Any]:
    """A rate as its record has it, and in words."""
    return dict(rate) | {"shown": describe(rate)}


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "baseline": pair.baseline,
        "candidate": pair.candidate,
        "recorded": pair.recorded,
        "conditions": {name: _paired(name, rates) for name, rates in pair.rates.items()},
        "sources": [{"path": path, "sha256": sha256} for path, sha256 in pair.sources],
    }


def _paired(condition: str, rates: PairedRates) -> dict[str, Any]:
    counts = ("pairs", "both_succeed", "only_baseline", "only_candidate", "both_fail")
    values = ("difference", "difference_low", "difference_high", "p_value", "statement")
    return {
        "title": CONDITIONS[condition],
        **{name: getattr(rates, name) for name in (*counts, *values)},
        "tasks": {
            task: {
                "short": short_task(task),
                "pairs": one.pairs,
                "baseline": percent(one.baseline),
                "candidate": percent(one.candidate),
                "difference": f"{100 * (one.candidate - one.baseline):+.0f}",
            }
            for task, one in rates.by_task.items()
        },
    }


def _summary(content: Content) -> Source:
    return content.sources[content.source - 1]


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{text}\n".encode()
