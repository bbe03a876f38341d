"""Draw every figure of an experiment, its numbers beside it."""

import importlib.util
from pathlib import Path
from types import ModuleType

from vla.errors import UserError
from vla.files.atomic import write_text
from vla.files.described import describe_file
from vla.plan.figures import FigureFile, find_figures
from vla.records.figures import DrawnFigure
from vla.report.sources import ExperimentSource
from vla.report.style import save


def draw_figures(
    source: ExperimentSource, root: Path, folder: Path, relative_to: Path
) -> list[DrawnFigure]:
    """Draw the figures of the project at `root` into `folder`, as NAME.svg and NAME.csv.

    Returns what the record says of each, the files named relative to `relative_to`.
    """
    drawn = []
    for figure in find_figures(root):
        module = _load(figure)
        picture, data = (folder / f"{figure.name}.{ending}" for ending in ("svg", "csv"))
        save(module.draw(source), picture)
        write_text(data, module.table(source).to_csv(index=False))
        drawn.append(
            DrawnFigure(
                name=figure.name,
                title=figure.title,
                caption=figure.caption,
                picture=describe_file(picture, relative_to),
                data=describe_file(data, relative_to),
            )
        )
    return drawn


def _load(figure: FigureFile) -> ModuleType:
    """Its module, from its file: `root` need not be where this library was imported from."""
    spec = importlib.util.spec_from_file_location(f"vla.report.figures.{figure.name}", figure.path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("table", "draw"):
        if not callable(getattr(module, name, None)):
            raise UserError(
                f"{figure.path} is no figure: it has no function {name}(source).",
                "See the files beside it.",
            )
    return module
