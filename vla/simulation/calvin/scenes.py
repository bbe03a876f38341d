"""Random scenes for demonstrations, none of them an initial state of the benchmark."""

import numpy as np

from vla.simulation.calvin.subtasks import COLOURS, SUBTASKS

TABLE_X = (0.02, 0.16, 0.30)  # of the places between which the table's blocks are spread (m)
TABLE_Y = (-0.13, -0.08)
SHELF = ((-0.24, 0.0924), (0.07, 0.0924), (-0.09, 0.0924))
HEIGHT = 0.46


def random_scene(task: str, random: np.random.Generator) -> np.ndarray:
    """`scene_obs`, float64 (24,), in which the task is possible; poses are drawn anew each time."""
    needs = SUBTASKS[task].ways[0].needs

    def choose(name: str, values: tuple) -> object:
        drawn = values[random.integers(len(values))]
        return needs.get(name, drawn)

    scene = np.zeros(24)
    scene[0] = 0.28 if choose("slider", ("left", "right")) == "left" else 0
    scene[1] = 0.22 if choose("drawer", ("open", "closed")) == "open" else 0
    scene[4], scene[5] = choose("lightbulb", (0, 1)), choose("led", (0, 1))
    scene[3] = 0.088 * scene[4]
    places = random.permutation(TABLE_X) + random.uniform(-0.02, 0.02, 3)
    shelf = random.permutation(np.array(SHELF))
    for number, colour in enumerate(COLOURS):
        block = 6 + 6 * number
        drawn = random.random() < 0.6
        on_table = needs.get(f"{colour}_block") == "table" or drawn
        on_table_at = (places[number], random.uniform(*TABLE_Y))
        scene[block : block + 2] = on_table_at if on_table else shelf[number]
        scene[block + 2] = HEIGHT
        scene[block + 5] = random.uniform(np.pi / 2 - 0.5, np.pi / 2 + 0.5)
    return scene
