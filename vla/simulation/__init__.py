"""Simulators, as Gymnasium environments whose seeds mean something."""

import os

# MuJoCo binds its OpenGL backend when it is imported, so this stands before any such import.
# OSMesa renders in software on any machine and gives the same pixels as EGL in software;
# MUJOCO_GL=egl takes the GPU's driver instead.
os.environ.setdefault("MUJOCO_GL", "osmesa")
