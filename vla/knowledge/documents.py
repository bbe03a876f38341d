"""What people read of the experiment database: spreadsheet, searchable page, and what was learnt."""

from pathlib import Path
from typing import Any

import pandas as pd

from vla.files.atomic import write_atomic, write_text
from vla.knowledge.database import EXPERIMENTS, RUNS, build_database, read_table
from vla.knowledge.lineage import lineage
from vla.report.figures import save
from vla.report.readme import template_environment

TABLES = {"experiments": EXPERIMENTS, "runs": RUNS}
DEAD_ENDS = ("dead end", "refuted")


def build_documents(root: Path) -> list[Path]:
    """Build the database anew and all that is made of it in results/; returns what was written."""
    folder = root / "results"
    made = [build_database(root)]
    tables = {name: read_table(root, name) for name in TABLES}
    frames = {name: pd.DataFrame(rows, columns=TABLES[name]) for name, rows in tables.items()}
    for name, frame in frames.items():
        made.append(folder / f"{name}.csv")
        write_text(made[-1], frame.to_csv(index=False))
    made.append(folder / "experiments.xlsx")
    write_atomic(made[-1], lambda path: _spreadsheet(frames, path))
    experiments = tables["experiments"]
    save(lineage(experiments), folder / "lineage.svg")
    environment = template_environment(root)
    context = {
        "experiments": experiments,
        "runs": tables["runs"],
        "columns": TABLES,
        "dead_ends": [row for row in experiments if row["outcome"] in DEAD_ENDS],
        "learnt": [row for row in experiments if row["findings"]],
        "open": [row for row in experiments if row["outcome"] == "open"],
        "next_steps": [row for row in experiments if row["next_steps"]],
    }
    for template, name in (
        ("experiments.html.j2", "experiments.html"),
        ("dead_ends.md.j2", "dead_ends.md"),
        ("insights.md.j2", "insights.md"),
        ("meeting.md.j2", "meeting.md"),
    ):
        made.append(folder / name)
        write_text(made[-1], environment.get_template(template).render(context))
    return [*made, folder / "lineage.svg"]


def _spreadsheet(frames: dict[str, pd.DataFrame], path: Path) -> None:
    options: dict[str, Any] = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        for name, frame in frames.items():
            frame.to_excel(writer, sheet_name=name, index=False)
            sheet = writer.sheets[name]
            sheet.freeze_panes(1, 1)
            sheet.autofilter(0, 0, max(1, len(frame)), len(frame.columns) - 1)
            sheet.autofit(300)
