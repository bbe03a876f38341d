"""`evaluation.simulator` of CALVIN. Imports no simulator: plans are made without."""

from typing import Annotated, Literal

from pydantic import Field

from vla.config.evaluation import SimulatorSection

ENVIRONMENT = "calvin"
# Those of `make setup`; PyBullet, which it does not bring, is in `outside.py`.
DISTRIBUTIONS = ("gymnasium", "scipy")


class Config(SimulatorSection):
    """CALVIN: chains of five subtasks, judged by CALVIN's own task oracle."""

    type: Literal["calvin"] = "calvin"
    """Simulator."""
    commit: Literal["1431a46", "797142c", "other"] = "1431a46"
    """Commit of calvin_env that `CALVIN_ENV_ROOT` must hold: the one that mees/calvin pins, the newest, or `other` for whatever is there. Scores of two commits are not comparable."""
    scene: Literal["A", "B", "C", "D"] = "D"
    """Table that is simulated; the benchmark evaluates on D."""
    chains: Annotated[int, Field(ge=1, le=1000)] = 1000
    """How many of the 1000 official chains are run, from the first on."""
    reset: Literal["clean", "plain"] = "clean"
    """`clean` builds the scene anew for every chain, so that none depends on those before; `plain` is CALVIN's own, with which published scores were measured."""
    renderer: Literal["TinyRenderer", "EGL"] = "TinyRenderer"
    """TinyRenderer draws in software; EGL with the machine's OpenGL, as CALVIN's data was drawn."""
    pictures: Literal["native", "direct"] = "native"
    """`native` draws 200x200 (static) and 84x84 (gripper) pixels and averages them to the policy's size, as the reader does with recorded pictures; `direct` draws the policy's size, which is faster and only right for data drawn so."""
    actions: Literal["relative", "absolute"] = "relative"
    """What actions mean: displacements of the target pose, or poses in the world."""
