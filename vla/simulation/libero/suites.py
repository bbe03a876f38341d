"""Suites, their tasks and horizons (Liu et al. 2023, arXiv 2306.03310; tables of the package)."""

from functools import cache
from typing import Any

from vla.errors import UserError, nearest
from vla.simulation.libero.initial_states import read_initial_states
from vla.simulation.libero.packages import benchmark, file_of

# Longest episode (control steps at 20 Hz), as OpenVLA's evaluation and those after it have it
# (openvla/openvla, experiments/robot/libero/run_libero_eval.py).
HORIZONS = {
    "libero_spatial": 220,
    "libero_object": 280,
    "libero_goal": 300,
    "libero_10": 520,
    "libero_90": 400,
}
SEEDS_PER_TASK = 1000


def tasks_of(suite: str) -> dict[str, Any]:
    """The suite's tasks by name, in the package's order; each has `language` and names of files."""
    return benchmark().task_maps[suite]


def find_task(suite: str, name: str) -> Any:
    """The task that is called `name`, or that this sentence describes; datasets often know only that.

    `UserError` when the suite has none, or when a sentence describes several.
    """
    tasks = tasks_of(suite)
    if name in tasks:
        return tasks[name]
    described = [task for task in tasks.values() if task.language == name]
    if len(described) == 1:
        return described[0]
    if described:
        raise UserError(
            f"{len(described)} tasks of {suite} are described by {name!r}.",
            f"Name one by its file: {', '.join(task.name for task in described)}.",
        )
    raise UserError(
        f"{suite} has no task {name!r}; {nearest(name, [*tasks])}",
        "Set evaluation.tasks to some of the suite's, by name or by sentence.",
    )


@cache
def initial_states(suite: str, name: str):
    """A task's fixed initial states: float64 (states, 1 + positions + velocities)."""
    task = tasks_of(suite)[name]
    return read_initial_states(file_of("init_states", task.problem_folder, task.init_states_file))


def episode_seed(suite: str, name: str, first_seed: int, episode: int, reuse: bool) -> int:
    """A seed whose last three digits are the number of the episode's initial state.

    The thousands above `first_seed` number the task, over all suites. `UserError` when an episode
    would begin where an earlier one did and `reuse` does not allow that.
    """
    if first_seed % SEEDS_PER_TASK:
        raise UserError(
            f"evaluation.first_seed is {first_seed}: with LIBERO its last three digits number the "
            "initial state.",
            f"Set it to a multiple of {SEEDS_PER_TASK}.",
        )
    task = find_task(suite, name)
    states = len(initial_states(suite, task.name))
    if episode >= (SEEDS_PER_TASK if reuse else states):
        raise UserError(
            f"{task.name} has {states} fixed initial states: episode {episode + 1} would begin as "
            f"episode {episode % states + 1} did.",
            f"Set evaluation.episodes_per_task to at most {states}, or reuse_initial_states: true "
            f"(at most {SEEDS_PER_TASK}), which also needs protocol: own.",
        )
    known = [(one, other) for one in HORIZONS for other in tasks_of(one)]
    return first_seed + SEEDS_PER_TASK * known.index((suite, task.name)) + episode
