"""One episode: the policy looks, acts for a few steps, looks again."""

import time
import traceback
from collections.abc import Callable

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

    `watch` is called before the first and after every control step.
    """
    started = time.monotonic()
    steps = 0
    try:
        state, _ = task.reset(seed=plan.seed)
        if watch:
            watch(task)
        done = success = False
        while not done:
            pictures = task.pictures()
            stacked = np.stack([pictures[c].transpose(2, 0, 1) for c in policy.spec.cameras])
            seen = observe(stacked, plan.instruction, state, plan.seed, steps)
            chunk = choose_actions(policy, seen, config.decoding)
            for action in chunk[: config.execute_steps]:
                state, _, terminated, truncated, info = task.step(action)
                steps += 1
                if watch:
                    watch(task)
                success = bool(info["success"])
                done = terminated or truncated
                if done:
                    break
        outcome, error = ("success" if success else "failure"), ""
    except Exception:  # noqa: BLE001 - an episode that breaks is an outcome of its own, never a failure
        outcome, error = "crash", traceback.format_exc(limit=-3)
    return EpisodeResult(plan, outcome, steps, time.monotonic() - started, error)


def choose_actions(policy: Policy, seen: Samples, decoding: str) -> np.ndarray:
    """The policy's next actions, in the dataset's units: float32 (chunk, action_dim)."""
    inputs = policy.processor(seen)
    return policy.act(to_device(inputs, policy.device), decoding)[0].cpu().numpy()
