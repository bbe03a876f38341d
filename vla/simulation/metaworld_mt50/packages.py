"""MuJoCo and Meta-World, in the order that lets OpenGL's backend be chosen first."""

from vla.simulation.mujoco_gl import mujoco  # noqa: I001 - Meta-World imports MuJoCo

from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP

__all__ = ["ALL_V3_ENVIRONMENTS", "ENV_POLICY_MAP", "mujoco"]
