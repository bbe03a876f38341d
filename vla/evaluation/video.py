"""Film a few episodes: failures first, since they teach more."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from vla.config.evaluation import EvaluationSection
from vla.errors import UserError
from vla.evaluation.rollout import EpisodeResult, run_episode
from vla.files.atomic import write_atomic
from vla.policies.storage import load_policy
from vla.simulation.metaworld.environment import MetaWorldEnv

SIZE = 128  # pixels
EVERY = 4  # control steps between two pictures
FRAME_MS = 200  # at a control rate of 20 Hz: real time


def choose(results: list[EpisodeResult], per_task: int) -> list[EpisodeResult]:
    """Up to `per_task` episodes of each task, failures before successes; no crashed ones."""
    ended = [result for result in results if result.outcome != "crash"]
    ranked = sorted(ended, key=lambda result: (result.plan.task, result.outcome == "success"))
    chosen: dict[str, list[EpisodeResult]] = {}
    for result in ranked:
        of_task = chosen.setdefault(result.plan.task, [])
        if len(of_task) < per_task:
            of_task.append(result)
    return [result for of_task in chosen.values() for result in of_task]


def film(
    results: list[EpisodeResult],
    policy_file: Path,
    config: EvaluationSection,
    device: str,
    folder: Path,
) -> list[Path]:
    """Run the episodes again, exactly, and write each as GIF; returns the files.

    `UserError` when an episode does not repeat its outcome: then nothing of it can be trusted.
    """
    policy = load_policy(policy_file, device)
    paths = []
    for result in results:
        plan = result.plan
        env = MetaWorldEnv(
            plan.task,
            policy.spec.cameras,
            policy.spec.image_size,
            config.object_range_x,
            config.max_steps,
        )
        recording = _Recording()
        again = run_episode(policy, env, plan, config, recording)
        recording.take(env)
        env.close()
        if (again.outcome, again.steps) != (result.outcome, result.steps):
            raise UserError(
                f"{plan.task}, seed {plan.seed} gave {result.outcome} after {result.steps} steps, "
                f"and {again.outcome} after {again.steps} when it was filmed.",
                "This machine does not repeat its results: check its memory and driver.",
            )
        path = folder / f"{plan.task}-{plan.episode:03d}-{result.outcome}.gif"
        write_atomic(
            path,
            lambda temporary, frames=recording.frames: imageio.imwrite(
                temporary, np.stack(frames), plugin="pillow", duration=FRAME_MS, loop=0
            ),
        )
        paths.append(path)
    return paths


class _Recording:
    """Keeps every few control steps' view of the first camera."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self._steps = 0

    def __call__(self, env: MetaWorldEnv) -> None:
        if self._steps % EVERY == 0:
            self.take(env)
        self._steps += 1

    def take(self, env: MetaWorldEnv) -> None:
        self.frames.append(env.pictures(SIZE)[env.cameras[0]])
