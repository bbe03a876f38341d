"""The 50 tasks, by difficulty: the groups of Seo et al. 2022 (arXiv 2206.14244, appendix), which
evaluations of vision-language-action models follow (LeRobot, `src/lerobot/envs/metaworld_config.json`).
"""

from vla.errors import UserError, nearest

GROUPS = {
    "easy": (
        "button-press-topdown-v3", "button-press-topdown-wall-v3", "button-press-v3",
        "button-press-wall-v3", "coffee-button-v3", "dial-turn-v3", "door-close-v3", "door-lock-v3",
        "door-open-v3", "door-unlock-v3", "drawer-close-v3", "drawer-open-v3", "faucet-close-v3",
        "faucet-open-v3", "handle-press-side-v3", "handle-press-v3", "handle-pull-side-v3",
        "handle-pull-v3", "lever-pull-v3", "peg-unplug-side-v3", "plate-slide-back-side-v3",
        "plate-slide-back-v3", "plate-slide-side-v3", "plate-slide-v3", "reach-v3", "reach-wall-v3",
        "window-close-v3", "window-open-v3",
    ),
    "medium": (
        "basketball-v3", "bin-picking-v3", "box-close-v3", "coffee-pull-v3", "coffee-push-v3",
        "hammer-v3", "peg-insert-side-v3", "push-wall-v3", "soccer-v3", "sweep-into-v3", "sweep-v3",
    ),
    "hard": (
        "assembly-v3", "hand-insert-v3", "pick-out-of-hole-v3", "pick-place-v3", "push-back-v3",
        "push-v3",
    ),
    "very hard": (
        "disassemble-v3", "pick-place-wall-v3", "shelf-place-v3", "stick-pull-v3", "stick-push-v3",
    ),
}  # fmt: skip
TASKS = tuple(sorted(task for tasks in GROUPS.values() for task in tasks))
SEEDS_PER_TASK = 1000


def known_task(task: str) -> str:
    """`task` itself; a `UserError` when it is none of the 50."""
    if task not in TASKS:
        raise UserError(
            f"Meta-World has no task {task!r}; {nearest(task, TASKS)}",
            "Name tasks as the dataset and Meta-World do, such as reach-v3.",
        )
    return task


def task_seed(task: str, first_seed: int, episode: int) -> int:
    """Seed of an episode: every task draws from a block of its own. `UserError` beyond the block."""
    if episode >= SEEDS_PER_TASK:
        raise UserError(
            f"There is no seed for episode {episode + 1} of {task}.",
            f"A task has {SEEDS_PER_TASK} seeds: set episodes_per_task to at most that many.",
        )
    return first_seed + SEEDS_PER_TASK * TASKS.index(known_task(task)) + episode
