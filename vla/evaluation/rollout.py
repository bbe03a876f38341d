"""One episode: the policy looks, acts for a few steps, looks again."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vla.config.evaluation import EvaluationSection
from vla.data.samples import Samples, observe
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.policies.protocol import Policy, to_device
from vla.simulation.protocol import SimulatedTask

Watch = Callable[[SimulatedTask], None]


def run_episode(
    policy: Policy,
    task: SimulatedTask,
    plan: EpisodePlan,
    config: EvaluationSection,
    watch: Watch | None = None,
) -> EpisodeResult:
    """Run one episode on the device that holds `policy`; exceptions become a crash.

    A chain ends with the first subtask that fails. `watch` is called before the first and after
    every control step.
    """
    started = time.monotonic()
    attempts: list[_Attempt] = []
    try:
        state, _ = task.reset(seed=plan.seed)
        if watch:
            watch(task)
        for instruction, subtask in _parts(plan):
            if subtask:
                state = task.begin(subtask)
            begun = sum(attempt.steps for attempt in attempts)
            attempts.append(_Attempt(instruction, plan.seed, begun))
            _attempt(attempts[-1], policy, task, state, config, watch)
            if not attempts[-1].success:
                break
        outcome, error = ("success" if attempts[-1].success else "failure"), ""
    except Exception:  # noqa: BLE001 - an episode that breaks is an outcome of its own, never a failure
        outcome, error = "crash", traceback.format_exc(limit=-3)
    steps = [attempt.steps for attempt in attempts]
    subtask_steps = tuple(steps) if plan.chain else ()
    seconds = time.monotonic() - started
    return EpisodeResult(plan, outcome, sum(steps), seconds, error, subtask_steps)


@dataclass
class _Attempt:
    """At one task: what the policy is told, and how far it is.

    `begun`: control steps of the episode before it.
    """

    instruction: str
    seed: int
    begun: int
    steps: int = 0
    success: bool = False

    def look(self, policy: Policy, task: SimulatedTask, state: np.ndarray) -> Samples:
        """What the policy sees of the present state."""
        pictures = task.pictures()
        stacked = np.stack([pictures[c].transpose(2, 0, 1) for c in policy.spec.cameras])
        return observe(stacked, self.instruction, state, self.seed, self.begun + self.steps)


def _parts(plan: EpisodePlan) -> list[tuple[str, str | None]]:
    """What the policy is told, and the subtask that the simulator is to begin, one after another."""
    return [(s.instruction, s.task) for s in plan.chain] or [(plan.instruction, None)]


def _attempt(
    attempt: _Attempt,
    policy: Policy,
    task: SimulatedTask,
    state: np.ndarray,
    config: EvaluationSection,
    watch: Watch | None,
) -> None:
    """Act on one instruction until the task ends; what was done is kept in `attempt`."""
    done = False
    while not done:
        chunk = choose_actions(policy, attempt.look(policy, task, state), config.decoding)
        for action in chunk[: config.execute_steps]:
            state, _, terminated, truncated, info = task.step(action)
            attempt.steps += 1
            if watch:
                watch(task)
            attempt.success = bool(info["success"])
            done = terminated or truncated
            if done:
                break


def choose_actions(policy: Policy, seen: Samples, decoding: str) -> np.ndarray:
    """The policy's next actions, in the dataset's units: float32 (chunk, action_dim)."""
    inputs = policy.processor(seen)
    return policy.act(to_device(inputs, policy.device), decoding)[0].cpu().numpy()
