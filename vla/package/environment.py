"""The environment that a package is reproduced in, built from the locks in its source. Standard
library only.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from vla.errors import UserError

PYTHON = ((3, 11), (3, 13))  # oldest and newest that the host lock is made for
READY = ".ready"
NEEDED = ("typer", "pydantic", "pandas", "statsmodels", "matplotlib", "torch", "snakemake")


def has_conda() -> bool:
    """Whether Snakemake can make conda environments here."""
    return shutil.which("conda") is not None


def require_packages() -> None:
    """`UserError` when this Python lacks what a reproduction imports."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"{sys.executable} has no {', '.join(missing)}.",
            "Start it with a Python of an installed project, or leave --here: the environment is "
            "then built from the locks.",
        )


def build_environment(source: Path, folder: Path) -> Path:
    """The interpreter of an environment at `folder` with the packages of the host lock.

    Every package but PyTorch is checked against the hashes of `source`'s locks; PyTorch is taken in
    the exact version that they name, so that a CPU build can be offered (`PIP_EXTRA_INDEX_URL`).
    Needs the network, or an index that pip knows. What is there is taken again.
    """
    python = folder / "bin/python"
    if (folder / READY).is_file():
        return python
    if not PYTHON[0] <= sys.version_info[:2] <= PYTHON[1]:
        raise UserError(
            f"The locks are for Python 3.11 to 3.13, this is {sys.version.split()[0]}.",
            "Start it with one of these, or use the present environment: --here.",
        )
    print(f"Building the environment in {folder}: some minutes, and the network.", flush=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = [folder / "bin/uv", "pip", "install", "--quiet", "--python", python]
    locks = source / "envs"
    for command in (
        [sys.executable, "-m", "venv", "--clear", folder],
        [*pip, "--require-hashes", "-r", locks / "host.uv.txt"],
        [*pip, "-r", locks / "host.torch.txt"],
        [*uv, "--require-hashes", "-r", locks / "host.lock.txt"],
    ):
        run([str(word) for word in command], source)
    (folder / READY).touch()
    return python


def run(command: list[str], folder: Path, **variables: str) -> None:
    """Run a command; what it prints is progress, so it is shown."""
    # Packages of a home folder belong to no lock.
    environment = os.environ | {"PYTHONNOUSERSITE": "1"} | variables
    if subprocess.run(command, cwd=folder, env=environment).returncode:
        raise UserError(
            f"{' '.join(command[:5])} … failed in {folder}.",
            "See its message above; start it again.",
        )
