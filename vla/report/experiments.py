"""The experiment database as one page to search and sort: everything inside, to open without a network.

The table is there without JavaScript; Tabulator (reports/assets/) makes it sort, filter and choose
columns.
"""

from dataclasses import dataclass
from pathlib import Path

from vla.knowledge.database import Row
from vla.report.templates import read_tabulator, template_environment
from vla.statistics.rates import percent

PROSE = ("hypothesis", "findings", "next_steps")
TERSE = ("differences", "events", "drawn_from")
# Shown at first; readers can choose all others.
SHOWN = {
    "experiments": ("experiment", "outcome", "drawn_from", "success", "verdict", "hypothesis", "findings",
                    "differences"),
    "runs": ("experiment", "seed", "state", "instructed_success", "final_loss", "training_seconds",
             "started", "events"),
}  # fmt: skip
TIMES = ("started", "finished")  # how names of columns end
SHARES = ("rate", "low", "high", "success", "target")
ORDERED_BY = {"success": "rate"}  # a text whose order is that of another column


@dataclass(frozen=True)
class Column:
    """`kind`: prose, terse (lines that may be long), number, text, or link to an experiment's README."""

    name: str
    title: str
    kind: str
    shown: bool


@dataclass(frozen=True)
class Cell:
    """`order`: what a number is sorted by; None where there is none."""

    text: str
    order: float | None


def render_experiments(root: Path, tables: dict[str, list[Row]]) -> str:
    """The page; `tables`: rows of `experiments` and `runs` of the database."""
    shown = {}
    for name, rows in tables.items():
        columns = [_column(name, column, rows) for column in (rows[0] if rows else SHOWN[name])]
        shown[name] = {
            "columns": columns,
            "rows": [[_cell(row, column) for column in columns] for row in rows],
        }
    script, style = read_tabulator(root)
    template = template_environment(root).get_template("experiments.html.j2")
    return template.render(tables=shown, script=script, style=style)


def _column(table: str, name: str, rows: list[Row]) -> Column:
    values = [
        row[ORDERED_BY.get(name, name)] if table == "experiments" else row[name] for row in rows
    ]
    numbers = all(isinstance(value, int | float) for value in values if value is not None)
    if name in PROSE:
        kind = "prose"
    elif name in TERSE:
        kind = "terse"
    elif name == "experiment":
        kind = "link"
    else:
        kind = "number" if numbers and any(value is not None for value in values) else "text"
    return Column(name, name.replace("_", " "), kind, name in SHOWN[table])


def _cell(row: Row, column: Column) -> Cell:
    value = row[column.name]
    order = row.get(ORDERED_BY.get(column.name, ""), value)
    if value is None:
        text = ""
    elif isinstance(value, float) and column.name.endswith(SHARES):
        text = percent(value)
    elif isinstance(value, str) and column.name.endswith(TIMES):
        text = value[:16].replace("T", " ")  # to the minute, UTC as recorded
    else:
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return Cell(text, order if column.kind == "number" else None)
