"""Scripted experts for 23 of CALVIN's 34 subtasks: waypoints from the simulator's full state.

They know table D. None places, stacks or unstacks a block, lifts one out of the cabinet or the
drawer, or pushes one into the drawer.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from vla.errors import UserError
from vla.simulation.calvin.subtasks import COLOURS
from vla.simulation.calvin.table import Table

OPEN, CLOSED = 1, -1
DOWN = np.array([np.pi, 0, np.pi / 2])  # tool straight down, fingers opening along x (rad)
TRAVEL = 0.64  # height at which nothing is in the way (m)
STEP, TURN = 0.02, 0.05  # of relative actions: m and rad
NEAR = 0.008  # distance at which a waypoint counts as reached (m)
PATIENCE = 8  # control steps that the arm may lag behind its target


@dataclass(frozen=True)
class Waypoint:
    """Where the tool is to be: position (m), Euler angles (rad), gripper, control steps to stay."""

    position: np.ndarray
    angles: np.ndarray = field(default_factory=DOWN.copy)
    gripper: int = CLOSED
    stay: int = 0


class Expert:
    """Does one subtask; `act()` gives relative actions until the script is over, then None.

    `random`: jitters where handles are touched (4 mm); `speed`: of the largest action.
    """

    def __init__(self, table: Table, subtask: str, random: np.random.Generator, speed: float = 1.0):
        self.robot, self.speed = table.simulation.robot, speed
        self.waypoints = list(plan(table, subtask, random))
        self.number = self.stayed = self.waited = 0

    def act(self) -> np.ndarray | None:
        """float64 (7,), each in [-1, 1]."""
        if self.number == len(self.waypoints):
            return None
        waypoint = self.waypoints[self.number]
        distance = (waypoint.position - self.robot.target_pos) / STEP
        turn = _wrapped(waypoint.angles - self.robot.target_orn) / TURN
        length = np.linalg.norm(distance)
        if length < self.speed and np.abs(turn).max() < self.speed:
            self._arrive(waypoint)
        moved = distance * min(1, self.speed / max(length, 1e-9))
        return np.array([*moved, *np.clip(turn, -self.speed, self.speed), waypoint.gripper])

    def _arrive(self, waypoint: Waypoint) -> None:
        """The target is there: wait for the arm, then for the waypoint's own time."""
        tool = self.robot.get_observation()[0][:3]
        self.waited += 1
        if np.linalg.norm(tool - waypoint.position) < NEAR or self.waited > PATIENCE:
            self.stayed += 1
            if self.stayed > waypoint.stay:
                self.number, self.stayed, self.waited = self.number + 1, 0, 0


def plan(table: Table, subtask: str, random: np.random.Generator) -> Iterator[Waypoint]:
    """The waypoints of a subtask from the table's present state; `UserError` without a script."""
    if subtask not in SCRIPTS:
        raise UserError(
            f"No expert does {subtask!r}.", f"Take some of: {', '.join(sorted(SCRIPTS))}."
        )
    yield from SCRIPTS[subtask](table, random.uniform(-0.004, 0.004, 3))


Script = Callable[[Table, np.ndarray], Iterator[Waypoint]]


def _press_button(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
    x, y, _ = _link(table, "button_link") + jitter
    yield from _approach(table, x, y)
    yield Waypoint(_at(x, y, 0.52))
    yield Waypoint(_at(x, y, 0.482), stay=6)
    yield Waypoint(_at(x, y, 0.56))


def _press_button_twice(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
    """With calvin_env 1431a46 a LED that is on when a chain starts goes off at the second press."""
    pressing = tuple(_press_button(table, jitter))
    yield from (*pressing, *pressing[-3:])


def _switch_on(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
    """From below, the tool tilted; the lever slides along (0, 0.5, 0.87)."""
    x, y, _ = _link(table, "switch_link") + jitter * (1, 0, 0)
    tilted = DOWN + np.array([0, -1.1, 0])
    yield from _approach(table, x, -0.16)
    yield Waypoint(_at(x, -0.16, 0.56), tilted, stay=2)
    yield Waypoint(_at(x, -0.08, 0.49), tilted, stay=3)
    yield Waypoint(_at(x, y - 0.035, 0.49), tilted, stay=3)
    yield Waypoint(_at(x, y - 0.035, 0.62), tilted, stay=6)


def _switch_off(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
    """From above, tilted because the arm is too short to come straight down."""
    x, y, _ = _link(table, "switch_link") + jitter * (1, 0, 0)
    tilted = DOWN + np.array([0, -0.7, 0])
    yield from _approach(table, x, -0.16)
    yield Waypoint(_at(x, -0.12, 0.70), tilted, stay=2)
    yield Waypoint(_at(x, y - 0.005, 0.69), tilted, stay=2)
    yield Waypoint(_at(x, y - 0.058, 0.585), tilted, stay=8)
    yield Waypoint(_at(x, -0.14, TRAVEL))


def _drawer(before_handle: float, pull: float) -> Script:
    """The closed hand comes down behind the handle (to open) or before it (to close)."""

    def script(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
        x, y, _ = _link(table, "drawer_link") + jitter * (3, 0, 0)
        y -= before_handle
        yield from _approach(table, x, y - 0.01)
        yield Waypoint(_at(x, y, 0.44), stay=2)
        yield Waypoint(_at(x, y, 0.365), stay=4)
        yield Waypoint(_at(x, y + pull, 0.365), stay=6)
        yield Waypoint(_at(x, y + pull, 0.50))

    return script


def _slider(move: float) -> Script:
    """The open hand goes around the door's handle."""

    def script(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
        x, y, _ = _link(table, "slide_link") + np.array([0.14, -0.052, 0])
        yield from _approach(table, x, -0.12, gripper=OPEN)
        yield Waypoint(_at(x, -0.12, 0.70), gripper=OPEN)
        yield Waypoint(_at(x, y, 0.70), gripper=OPEN, stay=2)
        yield Waypoint(_at(x, y, 0.588), gripper=OPEN, stay=4)
        yield Waypoint(_at(x + move, y, 0.588), gripper=OPEN, stay=6)
        yield Waypoint(_at(x + move, y, 0.70), gripper=OPEN)

    return script


def _lift(colour: str) -> Script:
    def script(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
        x, y, z, angles = _block(table, colour)
        yield from _grasp(table, x, y, z, angles)
        yield Waypoint(_at(x, y, z + 0.13), angles, stay=4)

    return script


def _rotate(colour: str, turn: float) -> Script:
    """`turn` (rad): more than the 60 degrees that the oracle asks for."""

    def script(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
        x, y, z, angles = _block(table, colour)
        turned = angles + np.array([0, 0, turn])
        yield from _grasp(table, x, y, z, angles)
        yield Waypoint(_at(x, y, z + 0.003), turned, stay=10)
        yield Waypoint(_at(x, y, z + 0.003), turned, OPEN, stay=6)
        yield Waypoint(_at(x, y, 0.60), turned, OPEN)

    return script


def _push(colour: str, side: int) -> Script:
    """`side`: 1 to the right, -1 to the left; the closed hand starts at the other side."""

    def script(table: Table, jitter: np.ndarray) -> Iterator[Waypoint]:
        x, y, _, _ = _block(table, colour)
        start = x - side * 0.085
        yield from _approach(table, start, y)
        yield Waypoint(_at(start, y, 0.50), stay=1)
        yield Waypoint(_at(start, y, 0.468), stay=2)
        yield Waypoint(_at(start + side * 0.185, y, 0.468), stay=4)
        yield Waypoint(_at(start + side * 0.165, y, 0.60))

    return script


SCRIPTS: dict[str, Script] = {
    "turn_on_led": _press_button,
    "turn_off_led": _press_button_twice,
    "turn_on_lightbulb": _switch_on,
    "turn_off_lightbulb": _switch_off,
    "open_drawer": _drawer(0.222, -0.24),
    "close_drawer": _drawer(0.295, 0.24),
    "move_slider_left": _slider(-0.30),
    "move_slider_right": _slider(0.30),
    **{f"lift_{colour}_block_table": _lift(colour) for colour in COLOURS},
    **{f"rotate_{colour}_block_left": _rotate(colour, 1.4) for colour in COLOURS},
    **{f"rotate_{colour}_block_right": _rotate(colour, -1.4) for colour in COLOURS},
    **{f"push_{colour}_block_right": _push(colour, 1) for colour in COLOURS},
    **{f"push_{colour}_block_left": _push(colour, -1) for colour in COLOURS},
}


def _approach(
    table: Table, x: float, y: float, angles: np.ndarray = DOWN, gripper: int = CLOSED
) -> Iterator[Waypoint]:
    """Up, and over to a point at the height where nothing is in the way."""
    tool = table.observation()[0][:3]
    yield Waypoint(_at(tool[0], tool[1], max(TRAVEL, tool[2])), angles, gripper)
    yield Waypoint(_at(x, y, TRAVEL), angles, gripper)


def _grasp(table: Table, x: float, y: float, z: float, angles: np.ndarray) -> Iterator[Waypoint]:
    yield from _approach(table, x, y, angles, OPEN)
    yield Waypoint(_at(x, y, 0.53), angles, OPEN, stay=2)
    yield Waypoint(_at(x, y, z + 0.003), angles, OPEN, stay=3)
    yield Waypoint(_at(x, y, z + 0.003), angles, CLOSED, stay=8)


def _block(table: Table, colour: str) -> tuple[float, float, float, np.ndarray]:
    """Where a block is, and the tool's angles to grasp it, turned as little as its shape allows."""
    block = table.info()["scene_info"]["movable_objects"][f"block_{colour}"]
    turned = Rotation.from_quat(block["current_orn"]).as_matrix()
    yaw = np.arctan2(turned[1, 0], turned[0, 0])
    period = np.pi / 2 if colour == "blue" else np.pi  # the blue block is as long as wide
    yaw = DOWN[2] + (yaw - DOWN[2] + period / 2) % period - period / 2
    return (*block["current_pos"], np.array([np.pi, 0, yaw]))


def _link(table: Table, name: str) -> np.ndarray:
    """Position of a part of the table (m)."""
    simulation = table.simulation
    (fixed,) = (thing for thing in simulation.scene.fixed_objects if thing.name == "table")
    link = fixed.info_dict["links"][name]
    return np.array(simulation.p.getLinkState(fixed.uid, link, physicsClientId=simulation.cid)[4])


def _at(x: float, y: float, z: float) -> np.ndarray:
    return np.array([x, y, z], float)


def _wrapped(angles: np.ndarray) -> np.ndarray:
    return (angles + np.pi) % (2 * np.pi) - np.pi
