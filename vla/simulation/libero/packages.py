"""LIBERO's packages, imported when they are needed: `make setup` does not install them."""

import contextlib
import importlib
import logging
import os
import sys
from pathlib import Path
from types import ModuleType

from vla.errors import UserError
from vla.simulation.libero.config import INSTALL
from vla.simulation.mujoco_gl import mujoco

__all__ = ["benchmark", "file_of", "mujoco", "robosuite_environment", "robosuite_observables"]


def benchmark() -> ModuleType:
    """Tables of suites and tasks; light to import."""
    return _load("libero.libero.benchmark")


def robosuite_environment() -> type:
    """LIBERO's environment around a robosuite one; takes seconds to import."""
    return _load("libero.libero.envs.env_wrapper").ControlEnv


def robosuite_observables() -> ModuleType:
    return _load("robosuite.utils.observables")


def robosuite_transforms() -> ModuleType:
    return _load("robosuite.utils.transform_utils")


def file_of(kind: str, folder: str, name: str) -> Path:
    """A file that comes with LIBERO. `kind`: `bddl_files` or `init_states`."""
    return Path(_load("libero.libero").get_libero_path(kind), folder, name)


def _load(module: str) -> ModuleType:
    # Snakemake names the folder of packages twice in the search path of its jobs; LIBERO, whose assets
    # are five distributions in one namespace, then takes them for two installations and refuses both.
    sys.path[:] = dict.fromkeys(sys.path)
    logging.getLogger("robosuite_logs").setLevel(logging.ERROR)  # it asks for a macro file
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"LIBERO cannot be imported: {error}.",
            f"{INSTALL} installs it beside the host environment (docs/libero.md).",
        ) from None
