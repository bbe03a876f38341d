"""MuJoCo and Meta-World. The plug-in's other modules take them from here, never directly.

MuJoCo binds its OpenGL backend when it is imported, so the backend must be chosen before.
"""

import ctypes.util
import os

from vla.errors import UserError

# OSMesa renders in software on any machine; where a distribution no longer ships it, EGL does,
# with the same pixels unless a GPU's driver answers. The renderer is recorded with every result.
os.environ.setdefault("MUJOCO_GL", "osmesa" if ctypes.util.find_library("OSMesa") else "egl")

import mujoco
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP

__all__ = ["ALL_V3_ENVIRONMENTS", "ENV_POLICY_MAP", "mujoco"]

_chosen = os.environ["MUJOCO_GL"].lower().strip()
_bound = mujoco.GLContext.__module__.removeprefix("mujoco.")
if _chosen in ("osmesa", "egl") and _bound != _chosen:
    raise UserError(
        f"MuJoCo was imported before its OpenGL backend was chosen: it draws with {_bound}, "
        f"not with {_chosen}.",
        f"Set MUJOCO_GL={_chosen} before Python starts, or import mujoco later.",
    )
