"""Where a path lies, as the records beside it name it."""

import os
from pathlib import Path

from vla.errors import UserError


def placed(path: Path) -> Path:
    """`path` from the root, without `..`.

    A link is followed only to get into an experiment's folder. There, results or checkpoints may be
    links to a larger disk, and records name files without following these.
    """
    named = Path(os.path.normpath(path.absolute()))
    return named if _experiment(named) else named.resolve()


def experiment_folder(path: Path) -> Path:
    """The folder in experiments/ that a placed path lies in; `UserError` when there is none."""
    folder = _experiment(path)
    if folder is None:
        raise UserError(
            f"{path} lies in no experiment's folder.",
            "Name a file of experiments/, or the report or a comparison (in results/) of what "
            "config/config.yaml asks for now.",
        )
    return folder


def _experiment(path: Path) -> Path | None:
    return next((parent for parent in path.parents if parent.parent.name == "experiments"), None)
