"""One episode: the policy looks, acts for a few steps, looks again."""

import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from vla.config.evaluation import EvaluationSection
from vla.evaluation.protocol import EpisodePlan
from vla.policies.policy import Observation, Policy
from vla.simulation.metaworld.environment import MetaWorldEnv


@dataclass
class EpisodeResult:
    """What one episode gave.

    `outcome`: 'success', 'failure', or 'crash' when the simulator or the policy raised `error`;
    `steps`: control steps.
    """

    plan: EpisodePlan
    outcome: str
    steps: int
    seconds: float
    error: str = ""

    def row(self) -> dict[str, Any]:
        return asdict(self.plan) | {
            "outcome": self.outcome,
            "success": self.outcome == "success",
            "steps": self.steps,
            "seconds": self.seconds,
            "error": self.error,
        }


def run_episode(
    policy: Policy,
    env: MetaWorldEnv,
    plan: EpisodePlan,
    config: EvaluationSection,
    watch: Callable[[MetaWorldEnv], None] | None = None,
) -> EpisodeResult:
    """Run one episode on the device that holds `policy`; exceptions become a crash.

    `watch` is called before the first and after every control step.
    """
    started = time.monotonic()
    steps = 0
    try:
        words = policy.spec.vocabulary.encode(plan.instruction, policy.config.max_words)
        state, _ = env.reset(seed=plan.seed)
        if watch:
            watch(env)
        done = success = False
        while not done:
            pictures = env.pictures()
            chunk = _actions(policy, pictures, words, state, config.decoding)
            for action in chunk[: config.execute_steps]:
                state, _, success, truncated, _ = env.step(action)
                steps += 1
                if watch:
                    watch(env)
                done = success or truncated
                if done:
                    break
        outcome, error = ("success" if success else "failure"), ""
    except Exception:  # noqa: BLE001 - an episode that breaks is an outcome of its own, never a failure
        outcome, error = "crash", traceback.format_exc(limit=-3)
    return EpisodeResult(plan, outcome, steps, time.monotonic() - started, error)


def _actions(
    policy: Policy,
    pictures: dict[str, np.ndarray],
    words: np.ndarray,
    state: np.ndarray,
    decoding: str,
) -> np.ndarray:
    device = policy.state_mean.device
    stacked = np.stack([pictures[camera].transpose(2, 0, 1) for camera in policy.spec.cameras])
    observation = Observation(
        torch.from_numpy(stacked)[None],
        torch.from_numpy(words)[None],
        torch.from_numpy(state)[None],
    )
    return policy.act(observation.to(device), decoding)[0].cpu().numpy()
