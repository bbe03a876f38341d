"""Cheap pictures of a MuJoCo scene: several hundred a second on one CPU core, without a GPU.

Shadows, reflections and multisampling are off, robot meshes are drawn as boxes. Physics is
untouched: only a copy of the model that the renderer sees is changed.
"""

import copy
import os

import numpy as np

from vla.simulation.metaworld.packages import mujoco

# Free cameras: point looked at (m), distance (m), azimuth and elevation (degrees).
CAMERAS = {
    "side": {"lookat": (0, 0.72, 0.08), "distance": 0.95, "azimuth": 150, "elevation": -35},
    "front": {"lookat": (0, 0.72, 0.08), "distance": 0.95, "azimuth": -90, "elevation": -35},
    "top": {"lookat": (0, 0.70, 0.10), "distance": 0.90, "azimuth": 90, "elevation": -89},
}
ROBOT_BODIES = ("right_", "pedestal", "head", "tablelink")


class Pictures:
    """Renders named cameras of one scene as uint8 (size, size, 3)."""

    def __init__(
        self, model: mujoco.MjModel, cameras: tuple[str, ...], size: int, hidden_sites: set[str]
    ):
        self.cameras = {name: _free_camera(**CAMERAS[name]) for name in cameras}
        drawn = copy.copy(model)
        drawn.vis.quality.offsamples = 0
        drawn.vis.quality.shadowsize = 0
        for geom in range(drawn.ngeom):
            body = drawn.body(drawn.geom_bodyid[geom]).name
            is_mesh = drawn.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH
            if is_mesh and body.startswith(ROBOT_BODIES):
                drawn.geom_type[geom] = mujoco.mjtGeom.mjGEOM_BOX
        for site in range(drawn.nsite):
            if drawn.site(site).name in hidden_sites:
                drawn.site_rgba[site, 3] = 0
        self.renderer = mujoco.Renderer(drawn, size, size)
        self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self.options = mujoco.MjvOption()

    def take(self, data: mujoco.MjData) -> dict[str, np.ndarray]:
        pictures = {}
        for name, camera in self.cameras.items():
            self.renderer.update_scene(data, camera, self.options)
            pictures[name] = self.renderer.render()
        return pictures

    def close(self) -> None:
        self.renderer.render()  # makes its context current: textures are freed in the current one
        self.renderer.close()


def renderer_description() -> dict[str, str]:
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
            "settings": "no shadow, no reflection, no multisampling, robot meshes as boxes",
        }
    finally:
        context.free()


def _free_camera(lookat: tuple, distance: float, azimuth: float, elevation: float):
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.lookat[:] = lookat
    camera.distance, camera.azimuth, camera.elevation = distance, azimuth, elevation
    return camera
