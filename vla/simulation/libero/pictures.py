"""Pictures of a LIBERO scene, drawn only when a policy looks.

The package draws both cameras at every control step; here what a camera would see is noted, which
costs microseconds, and drawn when it is asked for. `published` pictures are the package's, bit for
bit: the same moment, model and options.
"""

import copy

import numpy as np

from vla.simulation.libero.packages import mujoco

# All that MuJoCo reads of a state when it draws a scene of geoms, sites, lights and fixed cameras.
DRAWN = ("geom_xpos", "geom_xmat", "site_xpos", "site_xmat", "cam_xpos", "cam_xmat")
DRAWN += ("light_xpos", "light_xdir", "xpos", "xmat")
COLLISION, VISUAL = 0, 1  # robosuite's groups of geoms
ROBOT_BODIES = ("robot0", "gripper0", "mount0")
SETTINGS = {
    "published": "as robosuite draws",
    "fast": "no reflection, no multisampling, robot meshes as boxes",
}


class Moment:
    """What is seen at one moment, kept apart from the state that the simulation goes on from."""

    def __init__(self, model: mujoco.MjModel):
        self.data = mujoco.MjData(model)

    def note(self, data: mujoco.MjData) -> None:
        for name in DRAWN:
            getattr(self.data, name)[:] = getattr(data, name)


class Pictures:
    """Renders named cameras of one scene as uint8 (size, size, 3).

    `cameras`: name -> LIBERO's camera; `drawing`: `published` or `fast`; `rotated`: turn the package's
    pictures, which stand on their heads, by 180 degrees.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        cameras: dict[str, str],
        size: int,
        drawing: str,
        rotated: bool,
    ):
        self.model, self.cameras, self.rotated = model, cameras, rotated
        self.fast = drawing == "fast"
        self.drawn = _simplified(model) if self.fast else model
        for side in ("offwidth", "offheight"):  # room to draw in
            view = self.drawn.vis.global_
            setattr(view, side, max(size, getattr(view, side)))
        self.renderer = mujoco.Renderer(self.drawn, size, size)
        if self.fast:
            self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self.options = mujoco.MjvOption()
        self.options.geomgroup[COLLISION] = 0
        self.options.geomgroup[VISUAL] = 1

    def take(self, moment: Moment) -> dict[str, np.ndarray]:
        if self.fast:  # fixtures stand, and lights shine, where the last reset put them
            self.drawn.site_rgba[:] = self.model.site_rgba
        pictures = {}
        for name, camera in self.cameras.items():
            self.renderer.update_scene(moment.data, camera, self.options)
            upright = self.renderer.render()
            # The package hands out rows from the bottom up. Turned, they are upright and mirrored.
            picture = upright[:, ::-1] if self.rotated else upright[::-1]
            pictures[name] = np.ascontiguousarray(picture)
        return pictures

    def close(self) -> None:
        self.renderer.render()  # makes its context current: textures are freed in the current one
        self.renderer.close()


def _simplified(model: mujoco.MjModel) -> mujoco.MjModel:
    drawn = copy.copy(model)
    drawn.vis.quality.offsamples = 0
    for geom in range(drawn.ngeom):
        body = drawn.body(drawn.geom_bodyid[geom]).name
        is_mesh = drawn.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH
        if is_mesh and body.startswith(ROBOT_BODIES):
            drawn.geom_type[geom] = mujoco.mjtGeom.mjGEOM_BOX
    return drawn
