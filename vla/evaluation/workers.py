"""Run episodes side by side in processes; a process that dies takes no other episode with it."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from vla.config.evaluation import EvaluationSection
from vla.errors import GoOnLaterError
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodePlan
from vla.evaluation.rollout import EpisodeResult, run_episode
from vla.policies.policy import Policy
from vla.policies.storage import load_policy
from vla.process.determinism import set_determinism
from vla.process.progress import Progress
from vla.process.signals import StopRequest
from vla.simulation.metaworld.environment import MetaWorldEnv

# What one worker process keeps between episodes.
_setup: tuple[Path, EvaluationSection, str]
_policy: Policy | None = None
_env: MetaWorldEnv | None = None


def run_episodes(
    plans: list[EpisodePlan],
    policy_file: Path,
    config: EvaluationSection,
    device: str,
    workers: int,
    journal: Journal,
    episode: Callable[[EpisodePlan], EpisodeResult] | None = None,
) -> list[EpisodeResult]:
    """Results in the order of `plans`, the same for any number of workers.

    Episodes whose results stand in `journal` are not run again; each new result is written there.

    When a worker dies, the episodes without result run again one by one, each in a process of its
    own, so that the one that kills its process is found and recorded as a crash.

    Raises `GoOnLaterError` when a signal asks to stop: after the episodes that are being run.
    """
    run = episode or _run
    setup = (policy_file, config, device)
    known = journal.read()
    results = {plan: known[plan] for plan in plans if plan in known}
    journal.rewrite(results)
    progress = Progress("evaluate", len(plans), "episode", done=len(results))

    def note(result: EpisodeResult) -> None:
        journal.append(result)
        results[result.plan] = result
        progress.update()

    with StopRequest() as stop:
        for result in _in_pool([p for p in plans if p not in results], setup, workers, run, stop):
            note(result)
        for plan in [plan for plan in plans if plan not in results]:
            started = time.monotonic()
            alone = [] if stop.signal_name else list(_in_pool([plan], setup, 1, run, stop))
            if stop.signal_name and not alone:
                raise GoOnLaterError(
                    f"{stop.signal_name}: stopped after {len(results)} of {len(plans)} episodes, "
                    "saved."
                )
            note(alone[0] if alone else _died(plan, time.monotonic() - started))
    return [results[plan] for plan in plans]


def _died(plan: EpisodePlan, seconds: float) -> EpisodeResult:
    return EpisodeResult(plan, "crash", 0, seconds, "the worker process died")


def _in_pool(
    plans: list[EpisodePlan], setup: tuple, workers: int, run: Callable, stop: StopRequest
) -> Iterator[EpisodeResult]:
    """Results as they come, until a worker dies; once `stop` is asked, of episodes under way."""
    context = multiprocessing.get_context("spawn")  # neither OpenGL nor CUDA survives a fork
    with ProcessPoolExecutor(workers, context, _start, setup) as pool:
        futures = [pool.submit(run, plan) for plan in plans]
        given = set()
        try:
            for future in as_completed(futures):
                given.add(future)
                yield future.result()
                if stop.signal_name:
                    break
            pool.shutdown(wait=True, cancel_futures=True)
            for future in futures:
                if future not in given and not future.cancelled():
                    yield future.result()
        except BrokenProcessPool:
            return
        finally:  # when a result cannot be kept, others need not be made
            pool.shutdown(wait=True, cancel_futures=True)


def _start(policy_file: Path, config: EvaluationSection, device: str) -> None:
    global _setup
    for number in (signal.SIGINT, signal.SIGUSR1):  # meant for the parent, which stops in order
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    set_determinism(threads=1)
    _setup = (policy_file, config, device)


def _end_with_parent() -> None:
    """A parent that is killed closes no queue: its workers would wait for work for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _run(plan: EpisodePlan) -> EpisodeResult:
    # What fails here, unlike what fails in an episode, is no outcome: it ends the evaluation.
    global _policy, _env
    policy_file, config, device = _setup
    if _policy is None:
        _policy = load_policy(policy_file, device)
    if _env is None or _env.task != plan.task:
        if _env is not None:
            _env.close()
        spec = _policy.spec
        _env = MetaWorldEnv(
            plan.task, spec.cameras, spec.image_size, config.object_range_x, config.max_steps
        )
    return run_episode(_policy, _env, plan, config)
