"""CALVIN's scripted experts through the official protocol: python -m benchmarks.calvin_experts [chains].

Runs the first chains whose five subtasks all have an expert, in one process, without cameras. Prints
success of 1 to 5 in a row, average length with its interval, and success by subtask.
"""

import sys
import time

import numpy as np

from vla.evaluation.episodes import episodes_table
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.simulation.calvin.chain import Chain
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.experts import SCRIPTS, Expert
from vla.simulation.calvin.sequences import sequences
from vla.simulation.protocol import CHAIN, Subtask
from vla.statistics.chains import describe_chains
from vla.statistics.rates import describe
from vla.statistics.summary import summarise


def scripted_chains(count: int) -> list[EpisodePlan]:
    """The first chains that experts can do from beginning to end."""
    plans = [
        EpisodePlan(CHAIN, number, number, "", tuple(Subtask(name, "") for name in chain.subtasks))
        for number, chain in enumerate(sequences())
        if all(name in SCRIPTS for name in chain.subtasks)
    ]
    return plans[:count]


def run_chain(env: Chain, plan: EpisodePlan, speed: float = 0.6) -> EpisodeResult:
    """One chain by the experts; a script that ends without success has failed."""
    env.reset(seed=plan.seed)
    steps: list[int] = []
    success = False
    for position, subtask in enumerate(plan.chain):
        env.begin(subtask.task)
        random = np.random.default_rng([plan.seed, position])
        expert = Expert(env.table, subtask.task, random, speed)
        done = success = False
        while not done and (action := expert.act()) is not None:
            _, _, success, truncated, _ = env.step(action)
            done = success or truncated
        steps.append(env.steps)
        if not success:
            break
    outcome = "success" if success else "failure"
    return EpisodeResult(plan, outcome, sum(steps), 0.0, "", tuple(steps))


def main(count: int, commit: str) -> None:
    env = Chain(Config(commit=commit), (), image_size=0)
    began, processor = time.monotonic(), time.process_time()
    results = [run_chain(env, plan) for plan in scripted_chains(count)]
    used, wall = time.process_time() - processor, time.monotonic() - began
    rates = summarise(episodes_table(results, "instructed", 0), None).conditions["instructed"]
    print(f"calvin_env {commit}: {len(results)} chains, {describe_chains(rates.chains)}")
    print("in a row:", ", ".join(describe(rate) for rate in rates.chains.in_a_row))
    for task, rate in sorted(rates.by_task.items()):
        print(f"  {task:26s} {rate.successes}/{rate.episodes}")
    steps = sum(result.steps for result in results)
    print(f"{steps} steps, {steps / used:.0f} a processor second, {wall:.0f} s")
    env.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, *(sys.argv[2:3] or ["1431a46"]))
