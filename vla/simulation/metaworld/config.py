"""`evaluation.simulator` of Meta-World. Imports neither Meta-World nor MuJoCo: plans are made without."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat

from vla.config.evaluation import SimulatorSection

ENVIRONMENT = "evaluate"
# Distributions whose versions decide what the simulator does.
DISTRIBUTIONS = ("gymnasium", "metaworld", "mujoco")


class Config(SimulatorSection):
    """Meta-World: tasks on a table for a Sawyer arm."""

    type: Literal["metaworld"] = "metaworld"
    """Simulator."""
    object_range_x: Annotated[NonNegativeFloat, Field(le=0.3)] = 0.2
    """Objects start within plus or minus this distance along x (m); the stock range is 0.1."""
