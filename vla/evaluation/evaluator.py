"""One policy in one simulator: runs any episode, the same in every process of the same machine."""

from vla.config.evaluation import EvaluationSection
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.evaluation.rollout import Watch, run_episode
from vla.policies.protocol import Policy
from vla.process.determinism import set_determinism
from vla.simulation.finding import load_simulator
from vla.simulation.protocol import SimulatedTask


class Evaluator:
    """Holds a policy, and the simulated task of the episode before, as long as the task is the same."""

    def __init__(self, policy: Policy, config: EvaluationSection, mode: str = "strict"):
        """Sets this process's determinism to `mode`. `policy`: in evaluation mode, on its device.

        `UserError` when the policy needs a camera that the simulator does not have.
        """
        set_determinism(threads=1, mode=mode)
        self.config = config
        self.simulator = load_simulator(config.simulator)
        self.policy = policy
        self.simulator.check_cameras(self.policy.spec.cameras)
        self._task: SimulatedTask | None = None

    def run(self, plan: EpisodePlan, watch: Watch | None = None) -> EpisodeResult:
        """Run one episode. `watch` is called before the first and after every control step."""
        return run_episode(self.policy, self._task_of(plan), plan, self.config, watch)

    def close(self) -> None:
        if self._task is not None:
            self._task.close()
            self._task = None

    def _task_of(self, plan: EpisodePlan) -> SimulatedTask:
        if self._task is None or self._task.task != plan.task:
            self.close()
            spec = self.policy.spec
            self._task = self.simulator.make(
                plan.task, spec.cameras, spec.image_size, self.config.max_steps
            )
        return self._task
