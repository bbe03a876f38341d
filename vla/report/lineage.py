"""Which experiment came from which, as a picture."""

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from vla.knowledge.conclusions import is_doubtful
from vla.report.style import COLOURS

OUTCOMES = {
    "confirmed": COLOURS[2],
    "refuted": COLOURS[4],
    "dead end": COLOURS[4],
    "inconclusive": COLOURS[1],
}


def draw_lineage(experiments: list[dict[str, Any]]) -> Figure:
    """A forest from left to right: a line from each experiment to those that started from it."""
    places = place(experiments)
    depth = max((x for x, _ in places.values()), default=0)
    rows = max((y for _, y in places.values()), default=0)
    figure, axes = plt.subplots(figsize=(3.2 * (depth + 1), 0.75 * (rows + 1) + 0.4))
    for row in experiments:
        x, y = places[row["experiment"]]
        if row["parent"] in places:
            before = places[row["parent"]]
            axes.plot([before[0] + 0.05, x], [before[1], y], color="0.7", zorder=0)
        outcome = f"{row['outcome']} ⚠" if is_doubtful(row["basis"]) else row["outcome"]
        shown = "\n".join(filter(None, (row["experiment"], outcome, row["success"])))
        axes.text(
            x,
            y,
            shown,
            va="center",
            fontsize=9,
            bbox={
                "boxstyle": "round",
                "facecolor": "white",
                "edgecolor": OUTCOMES.get(row["outcome"], "0.6"),
            },
        )
    axes.set_xlim(-0.1, depth + 1)
    axes.set_ylim(rows + 0.6, -0.6)
    axes.set_axis_off()
    return figure


def place(experiments: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Column (generation) and row of each experiment; one in a circle of parents starts a tree."""
    parents = {row["experiment"]: row["parent"] for row in experiments}
    children: dict[str, list[str]] = {}
    roots = []
    for name, parent in parents.items():
        if parent in parents and not _circular(name, parents):
            children.setdefault(parent, []).append(name)
        else:
            roots.append(name)
    places: dict[str, tuple[int, int]] = {}
    row = 0

    def put(name: str, column: int) -> None:
        nonlocal row
        places[name] = (column, row)
        for number, child in enumerate(children.get(name, [])):
            row += number > 0
            put(child, column + 1)

    for number, name in enumerate(roots):
        row += number > 0
        put(name, 0)
    return places


def _circular(name: str, parents: dict[str, str]) -> bool:
    seen, present = set(), name
    while present in parents and present not in seen:
        seen.add(present)
        present = parents[present]
    return present in seen
