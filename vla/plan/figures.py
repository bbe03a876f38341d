"""The figures of an experiment: one file each in `vla/report/figures/`, found without importing it.

Snakemake's own process needs their names, titles and captions, but not Matplotlib.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError
from vla.source.syntax import parse

FOLDER = "vla/report/figures"
FORMATS = ("svg", "pdf", "csv")  # for the screen, for print, the numbers


@dataclass(frozen=True)
class FigureFile:
    """One figure that every experiment gets. `name` is that of its module and of the files drawn."""

    name: str
    path: Path
    title: str
    caption: str

    @property
    def entry(self) -> str:
        """Its module's name in a key."""
        return f"{FOLDER}/{self.name}.py"


def find_figures(root: Path) -> tuple[FigureFile, ...]:
    """Every figure of the project at `root`, in the order of their names.

    `UserError` when a file lacks its TITLE or CAPTION.
    """
    paths = sorted((root / FOLDER).glob("*.py"))
    return tuple(_read(path) for path in paths if path.name != "__init__.py")


def _read(path: Path) -> FigureFile:
    words = {
        target.id: node.value.value
        for node in parse(path).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for name in ("TITLE", "CAPTION"):
        if not isinstance(words.get(name), str) or not words[name].strip():
            raise UserError(
                f"{path} is no figure: it sets no {name}.",
                f'Write {name} = "..." at its top level, in plain words; see the files beside it.',
            )
    return FigureFile(path.stem, path, words["TITLE"], words["CAPTION"])
