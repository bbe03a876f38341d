"""CALVIN's layout: the annotated windows of a split as episodes, with relative actions."""

from vla.data.calvin.windows import WindowReader


class Reader(WindowReader):
    """Actions are `rel_actions`: displacements in units of 2 cm and 0.05 rad, and the gripper."""

    actions = "rel_actions"
