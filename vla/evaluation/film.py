"""Film a few episodes: failures first, since they teach more."""

from collections.abc import Callable, Sequence

import imageio.v3 as imageio
import numpy as np

from vla.errors import UserError
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.simulation.protocol import SimulatedTask

SIZE = 128  # pixels
EVERY = 4  # control steps between two pictures
FRAME_MS = 200  # how long a picture is shown at the usual control rate: real time
USUAL_RATE = 20  # Hz, of simulators that do not say

RunWatched = Callable[[EpisodePlan, Callable[[SimulatedTask], None]], EpisodeResult]


def choose(results: Sequence[EpisodeResult], per_task: int) -> list[EpisodeResult]:
    """Up to `per_task` episodes of each task, failures before successes; no crashed ones."""
    ended = [result for result in results if result.outcome != "crash"]
    ranked = sorted(ended, key=lambda result: (result.plan.task, result.outcome == "success"))
    chosen: dict[str, list[EpisodeResult]] = {}
    for result in ranked:
        of_task = chosen.setdefault(result.plan.task, [])
        if len(of_task) < per_task:
            of_task.append(result)
    return [result for of_task in chosen.values() for result in of_task]


def film(result: EpisodeResult, run: RunWatched) -> bytes:
    """Run an episode again, exactly, and return it as a GIF of the first camera.

    `run`: an evaluator's. `UserError` when the episode does not repeat its outcome: then nothing of
    it can be trusted.
    """
    recording = _Recording()
    repeated = run(result.plan, recording)
    if (repeated.outcome, repeated.steps) != (result.outcome, result.steps):
        raise UserError(
            f"{result.plan.task}, seed {result.plan.seed} gave {result.outcome} after "
            f"{result.steps} steps, and {repeated.outcome} after {repeated.steps} when it was filmed.",
            "This machine does not repeat its results: check its memory and driver.",
        )
    recording.end()
    return imageio.imwrite(
        "<bytes>",
        np.stack(recording.frames),
        extension=".gif",
        plugin="pillow",
        duration=recording.frame_ms,
        loop=0,
    )


class _Recording:
    """Keeps every few control steps' view of the first camera, and that of the end."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self._steps = 0

    def __call__(self, task: SimulatedTask) -> None:
        self._task, self._taken = task, self._steps % EVERY == 0
        if self._taken:
            self._take()
        self._steps += 1

    @property
    def frame_ms(self) -> int:
        """How long a picture is shown, for real time."""
        return round(FRAME_MS * USUAL_RATE / self._task.metadata.get("render_fps", USUAL_RATE))

    def end(self) -> None:
        if not self._taken:
            self._take()

    def _take(self) -> None:
        self.frames.append(self._task.pictures(SIZE)[self._task.cameras[0]])
