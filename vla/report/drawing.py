"""Draw every figure of an experiment, its numbers beside it."""

import importlib.util
from functools import partial
from pathlib import Path
from types import ModuleType

from vla.errors import UserError
from vla.files.described import describe_file
from vla.plan.figures import FORMATS, FigureFile, find_figures
from vla.records.figures import DrawnFigure
from vla.report.sources import ExperimentSource
from vla.report.style import save_all


def draw_figures(
    source: ExperimentSource, root: Path, folder: Path, relative_to: Path
) -> list[DrawnFigure]:
    """Draw the figures of the project at `root` into `folder`, as NAME.svg, .pdf and .csv.

    Returns what the record says of each, the files named relative to `relative_to`.
    """
    drawn = []
    for figure in find_figures(root):
        module = _load(figure)
        save_all(partial(module.draw, source), module.table(source), folder / figure.name)
        picture, printed, data = (
            describe_file(folder / f"{figure.name}.{ending}", relative_to) for ending in FORMATS
        )
        drawn.append(
            DrawnFigure(
                name=figure.name,
                title=figure.title,
                caption=figure.caption,
                picture=picture,
                print=printed,
                data=data,
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
