"""`evaluation.simulator` of Meta-World's 50 tasks. Imports neither Meta-World nor MuJoCo."""

from typing import Literal

from pydantic import model_validator

from vla.config.evaluation import SimulatorSection

ENVIRONMENT = "evaluate"
# Distributions whose versions decide what the simulator does.
DISTRIBUTIONS = ("gymnasium", "metaworld", "mujoco")


class Config(SimulatorSection):
    """Meta-World's 50 tasks, as published scores have them."""

    type: Literal["metaworld-mt50"] = "metaworld-mt50"
    """Simulator."""
    protocol: Literal["common", "own"] = "common"
    """`common` holds `pictures` and `evaluation.max_steps` to what published scores were measured with (docs/metaworld.md); `own` allows others, and the record says so."""
    pictures: Literal["published", "fast"] = "published"
    """`published`: every pixel as the package draws it; `fast`: no shadows, no reflections, no multisampling, robot meshes as boxes."""

    @model_validator(mode="after")
    def _common_protocol(self) -> "Config":
        if self.protocol == "common" and self.pictures != "published":
            raise ValueError(
                f"pictures: {self.pictures!r} is not how published scores were measured; set "
                "protocol: own to allow it"
            )
        return self
