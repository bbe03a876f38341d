"""MuJoCo, imported with its OpenGL backend chosen, and what that backend draws with.

MuJoCo binds its backend when it is imported: simulators take `mujoco` from here, never directly.
(The default simulator has this to itself, so that its results keep their keys.)
"""

import ctypes.util
import os

from vla.errors import UserError

# OSMesa renders in software on any machine; where a distribution no longer ships it, EGL does,
# with the same pixels unless a GPU's driver answers. The renderer is recorded with every result.
os.environ.setdefault("MUJOCO_GL", "osmesa" if ctypes.util.find_library("OSMesa") else "egl")

import mujoco

__all__ = ["describe_renderer", "mujoco"]

_chosen = os.environ["MUJOCO_GL"].lower().strip()
_bound = mujoco.GLContext.__module__.removeprefix("mujoco.")
if _chosen in ("osmesa", "egl") and _bound != _chosen:
    raise UserError(
        f"MuJoCo was imported before its OpenGL backend was chosen: it draws with {_bound}, "
        f"not with {_chosen}.",
        f"Set MUJOCO_GL={_chosen} before Python starts, or import mujoco later.",
    )


def describe_renderer(settings: str) -> dict[str, str]:
    """What draws the pictures: pixels, and with them success rates, depend on it."""
    from OpenGL import GL

    context = mujoco.GLContext(8, 8)
    try:
        context.make_current()
        return {
            "backend": os.environ["MUJOCO_GL"],
            "vendor": GL.glGetString(GL.GL_VENDOR).decode(),
            "renderer": GL.glGetString(GL.GL_RENDERER).decode(),
            "version": GL.glGetString(GL.GL_VERSION).decode(),
            "settings": settings,
        }
    finally:
        context.free()
