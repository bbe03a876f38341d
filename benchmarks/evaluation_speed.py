"""How fast episodes run on this machine: with a policy in each process, and with one for all.

    python -m benchmarks.evaluation_speed exp_101_rt2_calvin                    # on a GPU, where there is one
    python -m benchmarks.evaluation_speed exp_001_baseline --workers 2 --rows 4

An experiment's policy, with fresh weights, acts in Meta-World through the project's own workers. The clock starts when
every process has had time to start: with the end of the first episodes.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring import ROOT, ratio, row
from tests.records import POLICY_FACTS
from vla.config.complete import ExperimentConfig
from vla.config.evaluation import EvaluationSection
from vla.data.samples import observe
from vla.data.spec import DataSpec
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodeResult, plan_episodes
from vla.evaluation.workers import evaluator_maker, run_episodes
from vla.plan.reading import load_experiment
from vla.policies.building import build_policy
from vla.policies.storage import load_policy, save_policy
from vla.process.determinism import choose_device, evaluation_mode, set_determinism
from vla.simulation.metaworld.config import Config
from vla.simulation.metaworld.simulator import Simulator

TASK = {"name": "faucet-open-v3", "instructions": ["open the faucet"], "held_out": ()}
PIXELS = 64
ROWS = 16


class Clock(Journal):
    """Keeps no results, but when each came."""

    def __init__(self, folder: Path):
        super().__init__(folder / "episodes.journal")
        self.ended: list[tuple[float, int]] = []

    def append(self, result: EpisodeResult) -> None:
        if result.outcome == "crash":
            raise RuntimeError(result.error)
        self.ended.append((time.perf_counter(), result.steps))

    def steps_a_second(self, first: int) -> float:
        """After the end of the `first` episodes."""
        counted = self.ended[first:]
        return sum(steps for _, steps in counted) / (counted[-1][0] - self.ended[first - 1][0])


def make_policy(config: ExperimentConfig, path: Path) -> None:
    simulator = Simulator(Config())
    task = simulator.make(TASK["name"], simulator.cameras[:1], PIXELS, 1)
    state, _ = task.reset(seed=0)
    task.close()
    width, actions = len(state), task.action_space.shape[0]
    spec = DataSpec(
        simulator.cameras[:1],
        PIXELS,
        tuple(TASK["instructions"]),
        (0.0,) * width,
        (1.0,) * width,
        (-1.0,) * actions,
        (1.0,) * actions,
    )
    torch.manual_seed(0)
    save_policy(build_policy(config.model, spec), path, POLICY_FACTS)


def bench_acting(folder: Path) -> None:
    """The demo's policy on 16 observations at once, as on a GPU, against one after another."""
    path = folder / "acting/policy.safetensors"
    path.parent.mkdir()
    make_policy(load_experiment(ROOT / "experiments/exp_001_baseline/config.yaml"), path)
    policy = load_policy(path)
    pictures = np.zeros((1, 3, PIXELS, PIXELS), np.uint8)
    state = np.zeros(len(policy.spec.state_mean), np.float32)
    one = policy.processor(observe(pictures, TASK["instructions"][0], state))
    batch = {name: tensor.repeat_interleave(ROWS, 0) for name, tensor in one.items()}

    def one_by_one() -> None:
        for _ in range(ROWS):
            policy.act(one)

    value, took = ratio(lambda: policy.act(batch), one_by_one)
    row(f"acting on {ROWS} observations at once / one by one", value, f"{1000 * took:.1f} ms, CPU")


def measure(config: ExperimentConfig, rows: int, workers: int, episodes: int, steps: int) -> None:
    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    mode = evaluation_mode(config.training.determinism, accelerator)
    set_determinism(threads=1, mode=mode)
    device = str(choose_device(accelerator))
    name = torch.cuda.get_device_name() if accelerator == "cuda" else "CPU"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        make_policy(config, folder / "policy.safetensors")
        for batch_size in (1, rows):
            asked = EvaluationSection[Config](
                tasks=(TASK["name"],),
                episodes_per_task=episodes,
                max_steps=steps,
                execute_steps=min(8, config.model.chunk_length),
                batch_size=batch_size,
            )
            plans = plan_episodes(asked, Simulator(Config()), "instructed", [TASK], ())
            clock = Clock(folder)
            make = evaluator_maker(folder / "policy.safetensors", asked, device, mode)
            run_episodes(plans, make, workers, clock)
            how = f"batches of {batch_size}" if batch_size > 1 else "a policy in each process"
            rate = clock.steps_a_second(first=2 * workers)
            print(f"| {name}, {workers} workers, {how} | {rate:.1f} control steps a second |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation_speed")
    parser.add_argument("experiment", nargs="?", default="exp_101_rt2_calvin")
    parser.add_argument("--rows", type=int, default=ROWS, help="evaluation.batch_size")
    parser.add_argument("--workers", type=int, default=8, help="resources.evaluation_workers")
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--steps", type=int, default=80, help="control steps an episode")
    arguments = parser.parse_args()
    if arguments.episodes <= 2 * arguments.workers:
        parser.error("--episodes has to be more than twice --workers")
    config = load_experiment(ROOT / f"experiments/{arguments.experiment}/config.yaml")
    measure(config, arguments.rows, arguments.workers, arguments.episodes, arguments.steps)


if __name__ == "__main__":
    main()
