"""The environment of a job as its key has it."""

import importlib.metadata
import platform
from pathlib import Path

from vla.errors import UserError
from vla.locks.files import EnvironmentFiles, environment_name, lock_hash

_SIMULATION = ("numpy", "safetensors", "torch")
# Distributions that decide what a job of each kind computes, in the host environment.
DISTRIBUTIONS = {
    "data": ("av", "numpy", "pyarrow"),
    "train": ("numpy", "safetensors", "torch"),
    "evaluate": _SIMULATION,
    "libero": _SIMULATION,
    "calvin": _SIMULATION,
    "analyse": ("jinja2", "matplotlib", "numpy", "pandas", "scipy", "statsmodels"),
}


def environment_identity(
    kind: str, accelerator: str, root: Path, use_conda: bool, distributions: tuple[str, ...] = ()
) -> dict[str, str]:
    """What a key says of the environment of jobs of that kind.

    `distributions`: those that decide what the chosen plug-ins compute. Under `--use-conda` the hash
    of the environment's lock; otherwise the host's versions of Python and of the distributions that
    matter, with `UserError` when one is not installed.
    """
    if use_conda:
        name = environment_name(kind, accelerator)
        lock = lock_hash(EnvironmentFiles(name, root))
        return {"deployment": "conda", "name": name, "lock": lock}
    versions = {name: _version(name) for name in (*DISTRIBUTIONS[kind], *distributions)}
    python = ".".join(platform.python_version_tuple()[:2])  # its patches change no result
    return {"deployment": "host", "python": python, **versions}


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"{distribution} is not installed, which jobs need that run on the host.",
            "make setup, or run with --use-conda.",
        ) from None
