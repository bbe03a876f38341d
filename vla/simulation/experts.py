"""Demonstrations by an expert that a simulated task brings along."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from vla.config.demonstrations import DemonstrationsConfig
from vla.data.episode import Episode
from vla.errors import UserError


class TaskWithExpert(Protocol):
    """A `SimulatedTask` with an expert."""

    task: str

    def reset(self, *, seed: int | None = None): ...

    def step(self, action: np.ndarray): ...

    def pictures(self) -> dict[str, np.ndarray]: ...

    def expert_action(self) -> np.ndarray:
        """What the expert does in the present state: float32 (action_dim,), displacement first."""


def demonstrate_task(
    env: TaskWithExpert, config: DemonstrationsConfig, seeds: Iterable[int]
) -> list[Episode]:
    """`episodes_per_task` successful episodes, from the first seeds on that give them.

    Every second one has noise. `UserError` when the seeds do not suffice.
    """
    sentences = config.tasks[env.task].instructions
    episodes: list[Episode] = []
    attempts = 0
    for seed in seeds:
        attempts += 1
        noise = config.noise if len(episodes) % 2 else 0.0
        sentence = sentences[len(episodes) % len(sentences)]
        episode = demonstrate(env, seed, noise, sentence, config)
        if episode is not None:
            episodes.append(episode)
        if len(episodes) == config.episodes_per_task:
            return episodes
    raise UserError(
        f"The expert of {env.task} succeeded only {len(episodes)} times in {attempts} attempts.",
        "Ask for fewer episodes, less noise or an easier simulator.",
    )


def demonstrate(
    env: TaskWithExpert, seed: int, noise: float, sentence: str, config: DemonstrationsConfig
) -> Episode | None:
    """One episode of the expert, or None when it does not succeed.

    Noise is added to what is executed, not to the recorded label, so that the data shows how to
    come back from states a perfect expert never visits (DART, Laskey et al. 2017).
    """
    generator = np.random.default_rng(seed)
    state, _ = env.reset(seed=seed)
    frames: dict[str, list] = {camera: [] for camera in config.cameras}
    states, actions, remaining = [], [], None
    for _ in range(config.max_steps):
        action = env.expert_action()
        for camera, picture in env.pictures().items():
            frames[camera].append(picture)
        states.append(state)
        actions.append(action)
        executed = action.copy()
        executed[:3] += noise * generator.standard_normal(3)
        state, _, success, _, _ = env.step(executed)
        if remaining is None and success:
            remaining = config.steps_after_success
        if remaining == 0:
            break
        if remaining is not None:
            remaining -= 1
    if remaining is None:
        return None
    return Episode(
        frames={camera: np.stack(pictures) for camera, pictures in frames.items()},
        state=np.stack(states),
        action=np.stack(actions),
        instruction=sentence,
        seed=seed,
    )
