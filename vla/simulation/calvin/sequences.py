"""CALVIN's 1000 evaluation chains, and the scene in which each starts.

After `multistep_sequences.py` and `get_env_state_for_initial_condition` of mees/calvin fa03f01 (MIT
licence). Both draw from NumPy's legacy generator, whose numbers are frozen; the hash of all chains is
that of the list that others publish, and a test holds it.
"""

import json
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import pi
from pathlib import Path

import numpy as np

from vla.errors import UserError
from vla.files.hashing import sha256_json
from vla.simulation.calvin.subtasks import COLOURS, SUBTASKS, State

COUNT = 1000
LENGTH = 5
PUBLISHED = "90191d9ac76baecb4f292ab766bbbf3ae65dbf43a83bbe5c376d99db10fd6446"

# Arm and hand before a chain (`robot_obs`): the same for all.
NEUTRAL = np.array(
    [
        *(0.02586889, -0.2313129, 0.5712808),  # tool: position
        *(3.09045411, -0.02908596, 1.50013585),  # and Euler angles
        0.07999963,  # opening of the gripper
        *(-1.21779124, 1.03987629, 2.11978254, -2.34205014, -0.87015899, 1.64119093, 0.55344928),
        1.0,  # last gripper action
    ]
)
CABINET = {
    "slider_left": (-2.40851662e-01, 9.24044687e-02, 4.60990009e-01),
    "slider_right": (7.03416330e-02, 9.24044687e-02, 4.60990009e-01),
}
TABLE = (
    (5.00000896e-02, -1.20000177e-01, 4.59990009e-01),
    (2.29995412e-01, -1.19995140e-01, 4.59990010e-01),
)


@dataclass(frozen=True)
class Sequence:
    """A chain: its symbolic initial state, and its subtasks in order."""

    state: State
    subtasks: tuple[str, ...]


@cache
def sequences() -> tuple[Sequence, ...]:
    """All chains in the official order, as `chains.json` keeps what `draw_sequences` gives."""
    names, states = tuple(SUBTASKS), initial_states()
    kept = json.loads(Path(__file__).with_name("chains.json").read_text())
    chains = tuple(Sequence(states[state], tuple(names[i] for i in chain)) for state, chain in kept)
    if published_hash(chains) != PUBLISHED:
        raise UserError(
            "vla/simulation/calvin/chains.json does not hold CALVIN's published chains.",
            "Restore it: git checkout -- vla/simulation/calvin/chains.json",
        )
    return chains


def draw_sequences() -> tuple[Sequence, ...]:
    """All chains drawn anew, as CALVIN draws them (a minute)."""
    states = initial_states()
    found = [
        chain for number, state in enumerate(states) for chain in chains_from(state, number, states)
    ]
    order = np.arange(COUNT)
    np.random.RandomState(0).shuffle(order)  # the same swaps as those of a list
    return tuple(found[number] for number in order)


def chains_from(state: State, number: int, states: list[State]) -> list[Sequence]:
    """The chains that start in a state, the `number`th of all."""
    count = len(np.array_split(range(COUNT), len(states))[number])
    drawn = _draw(state, count, np.random.RandomState(number))
    return [Sequence(state, subtasks) for subtasks in drawn]


def published_hash(chains: tuple[Sequence, ...]) -> str:
    """SHA-256 of the chains as compact JSON with sorted keys."""
    return sha256_json([[chain.state, list(chain.subtasks)] for chain in chains])


def initial_states() -> list[State]:
    """The 192 symbolic states: one or two blocks on the table, others apart in the cabinet."""
    places = ("table", "slider_right", "slider_left")
    values = {
        "led": (0, 1),
        "lightbulb": (0, 1),
        "slider": ("right", "left"),
        "drawer": ("closed", "open"),
        **{f"{colour}_block": places for colour in COLOURS},
        "grasped": (0,),
    }
    return [
        dict(zip(values, chosen, strict=True))
        for chosen in product(*values.values())
        if chosen.count("table") in (1, 2)
        and chosen.count("slider_right") < 2
        and chosen.count("slider_left") < 2
    ]


def _draw(state: State, count: int, random: np.random.RandomState) -> list[tuple[str, ...]]:
    """Random subtasks, kept where just one way leads through and no category stands twice."""
    names = tuple(SUBTASKS)
    drawn: list[tuple[str, ...]] = []
    while len(drawn) < count:
        # What `choice(names, size=5, replace=False)` does.
        subtasks = tuple(names[i] for i in random.permutation(len(names))[:LENGTH])
        if _is_chain(state, subtasks):
            drawn.append(subtasks)
    return drawn


def _is_chain(state: State, subtasks: tuple[str, ...]) -> bool:
    for name in subtasks:
        results = SUBTASKS[name].results(state)
        if len(results) != 1:
            return False
        state = results[0]
    return len({SUBTASKS[name].category for name in subtasks}) == len(subtasks)


def scene_of(state: State) -> np.ndarray:
    """`scene_obs`, float64 (24,): door, drawer, button, switch, bulb, LED, three blocks of six.

    Where blocks lie on the table and how they are turned is random, with a seed made of the state.
    """
    random = np.random.RandomState(pose_seed(state))
    table = [np.array(place) for place in TABLE]
    random.shuffle(table)
    scene = np.zeros(24)
    scene[0] = 0.28 if state["slider"] == "left" else 0
    scene[1] = 0.22 if state["drawer"] == "open" else 0
    scene[3] = 0.088 * state["lightbulb"]
    scene[4], scene[5] = state["lightbulb"], state["led"]
    for number, colour in enumerate(COLOURS):
        block = 6 + 6 * number
        place = state[f"{colour}_block"]
        scene[block : block + 3] = (
            CABINET[place] if place in CABINET else _on_table(colour, state, table)
        )
        scene[block + 5] = random.uniform(pi / 2 - pi / 8, pi / 2 + pi / 8)
    return scene


def _on_table(colour: str, state: State, table: list[np.ndarray]) -> np.ndarray:
    """Red takes the first place, pink the second, blue what red leaves."""
    if colour == "blue":
        return table[1 if state["red_block"] == "table" else 0]
    return table[0 if colour == "red" else 1]


def pose_seed(state: State) -> int:
    """Seed of the blocks' poses: `pyhash.fnv1_32()` of the state's values as Python prints them.

    For a `str` pyhash hashes UTF-16 (little endian) from the offset 0, which is FNV-0.
    """
    value = 0
    for byte in f"dict_values({list(state.values())})".encode("utf-16-le"):
        value = (value * 0x01000193) & 0xFFFFFFFF
        value ^= byte
    return value
