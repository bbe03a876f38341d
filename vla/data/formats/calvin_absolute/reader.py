"""CALVIN's layout: the annotated windows of a split as episodes, with absolute actions."""

from vla.data.calvin.windows import WindowReader


class Reader(WindowReader):
    """Actions are `actions`: the tool's next position (m) and Euler angles (rad), and the gripper."""

    actions = "actions"
