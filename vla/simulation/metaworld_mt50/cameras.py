"""Pictures of a Meta-World scene from where published scores look, drawn when a policy looks."""

import copy

import numpy as np

from vla.simulation.metaworld_mt50.packages import mujoco

CAMERA = "corner2"
# Moved as in Seo et al. 2022 (arXiv 2206.14244), and in LeRobot's environment; metres.
POSITION = (0.75, 0.075, 0.7)
ROBOT_BODIES = ("right_", "pedestal", "head")
SETTINGS = {
    "published": "as Gymnasium draws",
    "fast": "no shadow, no reflection, no multisampling, robot meshes as boxes",
}


class Pictures:
    """The moved camera's view as uint8 (size, size, 3), turned upright. `drawing`: see SETTINGS."""

    def __init__(self, model: mujoco.MjModel, size: int, drawing: str):
        drawn = copy.copy(model)
        drawn.vis.global_.offwidth = drawn.vis.global_.offheight = size
        if drawing == "fast":
            drawn.vis.quality.offsamples = 0
            drawn.vis.quality.shadowsize = 0
            for geom in range(drawn.ngeom):
                body = drawn.body(drawn.geom_bodyid[geom]).name
                is_mesh = drawn.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH
                if is_mesh and body.startswith(ROBOT_BODIES):
                    drawn.geom_type[geom] = mujoco.mjtGeom.mjGEOM_BOX
        self.model, self.drawn = model, drawn
        self.renderer = mujoco.Renderer(drawn, size, size)
        if drawing == "fast":
            self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
            self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0

    def take(self, data: mujoco.MjData) -> np.ndarray:
        self.drawn.site_pos[:] = self.model.site_pos  # goals
        self.drawn.body_pos[:] = self.model.body_pos
        self.renderer.update_scene(data, CAMERA)
        # The camera hangs upside down: published pictures are turned by 180 degrees.
        return np.ascontiguousarray(self.renderer.render()[::-1, ::-1])

    def close(self) -> None:
        self.renderer.render()  # makes its context current: textures are freed in the current one
        self.renderer.close()
