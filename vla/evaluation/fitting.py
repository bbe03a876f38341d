"""Whether a policy that others trained fits the simulator: found in seconds, before any episode counts."""

from typing import Any

import numpy as np

from vla.config.evaluation import EvaluationSection
from vla.config.imported import ImportedModel
from vla.data.samples import observe
from vla.errors import UserError
from vla.evaluation.protocol import EpisodePlan, plan_episodes
from vla.evaluation.rollout import choose_actions
from vla.policies.protocol import Policy
from vla.simulation.finding import load_simulator
from vla.simulation.protocol import SimulatedTask, Simulator


def check_fit(policy: Policy, model: ImportedModel, config: EvaluationSection) -> None:
    """Plan every condition's episodes, look at the first state, and act on it once.

    `UserError` for a camera, task or sentence that is not there, and for proprioception or actions of
    another size than the policy's.
    """
    simulator = load_simulator(config.simulator)
    _check_cameras(policy, simulator)
    tasks = asked_tasks(model)
    plans = [plan_episodes(config, simulator, c, tasks, ()) for c in config.conditions]
    for plan in (plan for condition in plans for plan in condition):
        for sentence in plan.sentences:
            policy.processor.check(sentence)
    first, spec = plans[0][0], policy.spec
    task = simulator.make(first.task, spec.cameras, spec.image_size, config.max_steps)
    try:
        _try(policy, task, first, config)
    finally:
        task.close()


def asked_tasks(model: ImportedModel) -> list[dict[str, Any]]:
    """What an imported policy is asked for, as descriptions of trained ones name their data's tasks."""
    return [
        {"name": name, "instructions": sentences, "held_out": ()}
        for name, sentences in model.tasks.items()
    ]


def _check_cameras(policy: Policy, simulator: Simulator) -> None:
    lacking = [name for name in policy.spec.cameras if name not in simulator.cameras]
    if lacking:
        raise UserError(
            f"The policy looks through {', '.join(lacking)}, which the simulator does not have; it has: "
            f"{', '.join(simulator.cameras)}.",
            "Say which of these stands for which camera of the checkpoint: model.cameras: "
            f"{{observation.images.NAME: {simulator.cameras[0]}}}.",
        )


def _try(policy: Policy, task: SimulatedTask, plan: EpisodePlan, config: EvaluationSection) -> None:
    state, _ = task.reset(seed=plan.seed)
    spec = policy.spec
    if spec.state_mean and state.shape != (len(spec.state_mean),):  # none where it reads no state
        raise UserError(
            f"The policy takes {len(spec.state_mean)} numbers of proprioception, the simulator gives "
            f"{state.shape[0]}.",
            "It was trained for another robot or another choice of its state: take a simulator that "
            "gives the same, or write one (docs/plugins.md).",
        )
    space = getattr(task, "action_space", None)  # a simulator need not say
    wanted = space.shape[0] if space is not None else len(spec.action_low)
    if wanted != len(spec.action_low):
        raise UserError(
            f"The policy gives actions of {len(spec.action_low)} numbers, the simulator takes {wanted}.",
            "It was trained for another robot or another kind of action: take a simulator with the "
            "same, or write one (docs/plugins.md).",
        )
    pictures = task.pictures()
    stacked = np.stack([pictures[camera].transpose(2, 0, 1) for camera in spec.cameras])
    chunk = choose_actions(policy, observe(stacked, plan.sentences[0], state), config.decoding)
    if not np.isfinite(chunk).all():
        raise UserError(
            "The policy's first actions are not finite.",
            "Look at the checkpoint's weights and at the statistics by which it normalises.",
        )
