"""Where pretrained weights lie in a project."""

from pathlib import Path


def weights_folder(name: str, root: Path) -> Path:
    """The files of the registry's entry `name`."""
    return root / "weights" / name


def state_folder(name: str, root: Path) -> Path:
    """Records of fetching and verification."""
    return root / "weights/.state" / name
