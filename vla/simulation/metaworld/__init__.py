"""Meta-World: tasks on a table for a Sawyer arm, in MuJoCo."""

import ctypes.util
import os

# MuJoCo binds its OpenGL backend when it is imported, so this stands before any such import.
# OSMesa renders in software on any machine; where a distribution no longer ships it, EGL does,
# with the same pixels unless a GPU's driver answers. The renderer is recorded with every result.
os.environ.setdefault("MUJOCO_GL", "osmesa" if ctypes.util.find_library("OSMesa") else "egl")
