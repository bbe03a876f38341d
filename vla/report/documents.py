"""What people read of the experiment database: a page to search, a spreadsheet, findings for the meeting."""

from pathlib import Path
from typing import Any

import pandas as pd

from vla.files.atomic import write_atomic, write_text
from vla.knowledge.conclusions import is_doubtful
from vla.knowledge.database import EXPERIMENTS, RUNS, Row, build_database, read_table
from vla.report.experiments import render_experiments
from vla.report.lineage import draw_lineage
from vla.report.style import save
from vla.report.templates import template_environment

TABLES = {"experiments": EXPERIMENTS, "runs": RUNS}
DEAD_ENDS = ("dead end", "refuted")


def build_documents(root: Path) -> list[Path]:
    """Build the database anew and all that is made of it in results/; returns what was written."""
    folder = root / "results"
    database = build_database(root)
    tables = {name: read_table(root, name) for name in TABLES}
    experiments = tables["experiments"]
    spreadsheet, page, findings, lineage = (
        folder / name
        for name in ("experiments.xlsx", "experiments.html", "findings.md", "lineage.svg")
    )
    write_atomic(spreadsheet, lambda path: _write_spreadsheet(tables, path))
    write_text(page, render_experiments(root, tables))
    save(draw_lineage(experiments), lineage)
    write_text(findings, render_findings(root, experiments))
    return [database, spreadsheet, page, findings, lineage]


def render_findings(root: Path, experiments: list[Row]) -> str:
    """One page of Markdown for the lab meeting; `experiments`: rows of the database."""
    rows = [
        row
        | {name: _lines(row[name]) for name in ("findings", "next_steps", "differences")}
        | {"hypothesis": " ".join((row["hypothesis"] or "").split())}
        | {"doubt": row["drawn_from"] if is_doubtful(row["basis"]) else ""}
        for row in experiments
    ]
    environment = template_environment(root)
    environment.filters["link"] = _link
    return environment.get_template("findings.md.j2").render(
        experiments=rows,
        learnt=[row for row in rows if row["findings"] and row["outcome"] not in DEAD_ENDS],
        dead_ends=[row for row in rows if row["outcome"] in DEAD_ENDS],
        open=[row for row in rows if row["outcome"] == "open"],
        next=[row for row in rows if row["next_steps"]],
    )


def _lines(text: str | None) -> list[str]:
    return (text or "").splitlines()


def _link(row: Row) -> str:
    """An experiment's name in Markdown, leading to its README."""
    return f"[{row['experiment']}](../experiments/{row['experiment']}/README.md)"


def _write_spreadsheet(tables: dict[str, list[Row]], path: Path) -> None:
    options: dict[str, Any] = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        for name, rows in tables.items():
            frame = pd.DataFrame(rows, columns=TABLES[name])
            frame.to_excel(writer, sheet_name=name, index=False)
            sheet = writer.sheets[name]
            sheet.freeze_panes(1, 1)
            sheet.autofilter(0, 0, max(1, len(frame)), len(frame.columns) - 1)
            sheet.autofit(300)
