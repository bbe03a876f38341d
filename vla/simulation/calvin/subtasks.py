"""CALVIN's 34 subtasks: when one is possible, what it leaves, and the sentence of the evaluation.

After `task_categories`, `tasks` and the file `new_playtable_validation.yaml` of mees/calvin fa03f01
(MIT licence). A symbolic state says where things are: {"led": 0, "drawer": "open",
"red_block": "slider_left", ..., "grasped": 0}.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

State = dict[str, Any]
COLOURS = ("red", "blue", "pink")
CABINET = ("slider_right", "slider_left")


@dataclass(frozen=True)
class Way:
    """One way to do a subtask. `needs`: names -> the value, or the values, that they must have."""

    needs: dict[str, Any]
    leaves: dict[str, Any]

    def fits(self, state: State) -> bool:
        return all(
            state[name] in value if isinstance(value, tuple) else state[name] == value
            for name, value in self.needs.items()
        )


@dataclass(frozen=True)
class Kind:
    """`category`: no two subtasks of a chain share one; `sentence`: the first validation sentence."""

    category: int
    sentence: str
    ways: tuple[Way, ...]

    def results(self, state: State) -> list[State]:
        """What each possible way makes of a state."""
        return [state | way.leaves for way in self.ways if way.fits(state)]


def _free(needs: dict[str, Any], leaves: dict[str, Any]) -> Way:
    """A way that needs an empty hand and leaves it empty."""
    return Way(needs | {"grasped": 0}, leaves)


def _lift(block: str, needs: dict[str, Any]) -> Way:
    return Way(needs | {"grasped": 0}, {block: "grasped", "grasped": 1})


def _put_down(block: str, needs: dict[str, Any], leaves: dict[str, Any]) -> Way:
    return Way(needs | {block: "grasped", "grasped": 1}, leaves | {"grasped": 0})


def _on_table(verb: str, sentence: str) -> Iterator[tuple[str, Kind]]:
    for colour in COLOURS:
        block = f"{colour}_block"
        for side in ("right", "left"):
            way = _free({block: "table"}, {block: "table"})
            yield f"{verb}_{block}_{side}", Kind(1, sentence.format(block, side), (way,))


def _lifts() -> Iterator[tuple[str, Kind]]:
    for colour in COLOURS:
        block = f"{colour}_block"
        # Behind the sliding door a block can be reached when the door is at the other side.
        cabinet = tuple(
            _lift(block, {block: f"slider_{side}", "slider": door})
            for side, door in (("left", "right"), ("right", "left"))
        )
        yield (
            f"lift_{block}_table",
            Kind(4, f"grasp and lift the {colour} block", (_lift(block, {block: "table"}),)),
        )
        sentence = f"lift the {colour} block from the sliding cabinet"
        yield f"lift_{block}_slider", Kind(5, sentence, cabinet)
        drawer = (_lift(block, {block: "drawer", "drawer": "open"}),)
        yield f"lift_{block}_drawer", Kind(6, f"Take the {colour} block from the drawer", drawer)


def _switched() -> Iterator[tuple[str, Kind]]:
    """What has two positions: (name, category, value before, value after, sentence)."""
    table = (
        ("move_slider_left", 2, "slider", "right", "left"),
        ("move_slider_right", 2, "slider", "left", "right"),
        ("open_drawer", 3, "drawer", "closed", "open"),
        ("close_drawer", 3, "drawer", "open", "closed"),
        ("turn_on_lightbulb", 8, "lightbulb", 0, 1),
        ("turn_off_lightbulb", 8, "lightbulb", 1, 0),
        ("turn_on_led", 8, "led", 0, 1),
        ("turn_off_led", 8, "led", 1, 0),
    )
    sentences = {
        "slider": "push the sliding door to the {} side",
        "drawer": "{} the handle to {} the drawer",
        "lightbulb": "use the switch to turn {} the light bulb",
        "led": "press the button to turn {} the led light",
    }
    for name, category, thing, before, after in table:
        if thing == "drawer":
            words = ("pull", "open") if after == "open" else ("push", "close")
        else:
            words = (after if thing == "slider" else ("on" if after else "off"),)
        way = _free({thing: before}, {thing: after})
        yield name, Kind(category, sentences[thing].format(*words), (way,))


def _places() -> Iterator[tuple[str, Kind]]:
    blocks = [f"{colour}_block" for colour in COLOURS]
    slider = tuple(
        _put_down(block, {"slider": side}, {block: f"slider_{side}"})
        for block in blocks
        for side in ("right", "left")
    )
    yield "place_in_slider", Kind(7, "store the grasped block in the sliding cabinet", slider)
    drawer = tuple(_put_down(block, {"drawer": "open"}, {block: "drawer"}) for block in blocks)
    yield "place_in_drawer", Kind(7, "store the grasped block in the drawer", drawer)
    stack = tuple(
        _put_down(top, {low: "table"}, {top: "stacked_top", low: "stacked_bottom"})
        for top, low in permutations(blocks, 2)
    )
    yield "stack_block", Kind(10, "stack the grasped block", stack)
    unstack = tuple(
        _free({top: "stacked_top", low: "stacked_bottom"}, {top: "table", low: "table"})
        for top, low in permutations(blocks, 2)
    )
    yield "unstack_block", Kind(11, "remove the stacked block", unstack)
    into = tuple(
        _free(
            {block: "table", "drawer": "open"} | {o: CABINET for o in blocks if o != block},
            {block: "drawer"},
        )
        for block in blocks
    )
    yield "push_into_drawer", Kind(9, "slide the block that it falls into the drawer", into)


def _all() -> dict[str, Kind]:
    kinds = dict(_on_table("rotate", "take the {} and rotate it to the {}"))
    kinds |= dict(_on_table("push", "go push the {} {}"))
    switched, lifts, places = dict(_switched()), dict(_lifts()), dict(_places())
    # In CALVIN's order: its random numbers pick subtasks by position.
    order = [
        *kinds,
        *[name for name in switched if not name.startswith("turn")],
        *lifts,
        "place_in_slider",
        "place_in_drawer",
        "stack_block",
        "unstack_block",
        *[name for name in switched if name.startswith("turn")],
        "push_into_drawer",
    ]
    kinds |= switched | lifts | places
    spaced = {
        name: Kind(kind.category, kind.sentence.replace("_", " "), kind.ways)
        for name, kind in kinds.items()
    }
    return {name: spaced[name] for name in order}


SUBTASKS = _all()
