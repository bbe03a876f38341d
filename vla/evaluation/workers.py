"""Run episodes side by side in processes; a process that dies takes no other episode with it."""

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from vla.config.evaluation import EvaluationSection, SimulatorSection
from vla.errors import GoOnLaterError
from vla.evaluation.batching import BatchedPolicy
from vla.evaluation.evaluator import Evaluator
from vla.evaluation.journal import Journal
from vla.evaluation.protocol import EpisodePlan, EpisodeResult
from vla.evaluation.serving import PolicyServer, RemotePolicy
from vla.policies.protocol import Policy
from vla.policies.storage import load_policy
from vla.process.progress import Progress
from vla.process.signals import StopRequest


class RunsEpisodes(Protocol):
    """What works in a worker process: an `Evaluator`."""

    def run(self, plan: EpisodePlan) -> EpisodeResult: ...


MakeEvaluator = Callable[[], RunsEpisodes]

# Of those that share a policy: while one waits for its actions, the other moves its robot.
EPISODES_A_CORE = 2

# What one worker process keeps between episodes.
_make: MakeEvaluator
_evaluator: RunsEpisodes | None = None


def evaluator_maker(
    policy_file: Path, config: EvaluationSection, device: str, mode: str = "strict"
) -> "EvaluatorMaker":
    """What makes an `Evaluator` in a worker process. `mode`: as in `set_determinism`."""
    # Classes that Pydantic makes of generic ones cannot be pickled: the content can.
    content = config.model_dump(mode="json")
    return EvaluatorMaker(policy_file, type(config.simulator), content, device, mode)


@dataclass(frozen=True)
class EvaluatorMaker:
    """Makes an `Evaluator` with a policy of its own, or with that of the `PolicyServer` at `address`."""

    policy_file: Path
    settings: type[SimulatorSection]
    content: dict[str, Any]
    device: str
    mode: str
    address: str = ""

    @property
    def config(self) -> EvaluationSection:
        return EvaluationSection[self.settings].model_validate(self.content)

    def __call__(self) -> Evaluator:
        policy = RemotePolicy(self.address) if self.address else self.load()
        return Evaluator(policy, self.config, self.mode)

    def load(self) -> Policy:
        return load_policy(self.policy_file, self.device)


def run_episodes(
    plans: Sequence[EpisodePlan], make: MakeEvaluator, workers: int, journal: Journal
) -> list[EpisodeResult]:
    """Results in the order of `plans`, the same for any number of workers.

    `make` is called in each worker process. Where its evaluators share a policy
    (`evaluation.batch_size`), that acts in this process, for twice as many worker processes.
    Episodes whose results stand in `journal` are not run again; each new result is written there.

    When a worker dies, the episodes without result run again one by one, each in a process of its
    own, so that the one that kills its process is found and recorded as a crash.

    Raises `GoOnLaterError` when a signal asks to stop: after the episodes that are being run.
    """
    known = journal.read()
    results = {plan: known[plan] for plan in plans if plan in known}
    journal.rewrite(results)
    progress = Progress("evaluate", len(plans), "episode", done=len(results))

    def note(result: EpisodeResult) -> None:
        journal.append(result)
        results[result.plan] = result
        progress.update()

    missing = [plan for plan in plans if plan not in results]
    with StopRequest() as stop, _policy_for(missing, make, workers) as (make_here, processes):
        for result in _in_pool(missing, make_here, processes, stop):
            note(result)
        for plan in [plan for plan in plans if plan not in results]:
            started = time.monotonic()
            alone = [] if stop.signal_name else list(_in_pool([plan], make_here, 1, stop))
            if stop.signal_name and not alone:
                raise GoOnLaterError(
                    f"{stop.signal_name}: stopped after {len(results)} of {len(plans)} episodes, "
                    "saved."
                )
            note(alone[0] if alone else _died(plan, time.monotonic() - started))
    return [results[plan] for plan in plans]


@contextmanager
def _policy_for(
    plans: list[EpisodePlan], make: MakeEvaluator, workers: int
) -> Iterator[tuple[MakeEvaluator, int]]:
    """Where episodes share a policy, serve it: what makes their evaluators then, in how many processes."""
    if not plans or not isinstance(make, EvaluatorMaker) or make.config.batch_size == 1:
        yield make, workers
        return
    policy = BatchedPolicy(make.load(), make.config.batch_size)
    with PolicyServer(policy, make.config.decoding, make.mode) as server:
        yield replace(make, address=server.address), workers * EPISODES_A_CORE


def _died(plan: EpisodePlan, seconds: float) -> EpisodeResult:
    return EpisodeResult(plan, "crash", 0, seconds, "the worker process died")


def _in_pool(
    plans: list[EpisodePlan], make: MakeEvaluator, workers: int, stop: StopRequest
) -> Iterator[EpisodeResult]:
    """Results as they come, until a worker dies; once `stop` is asked, of episodes under way."""
    context = multiprocessing.get_context("spawn")  # neither OpenGL nor CUDA survives a fork
    with ProcessPoolExecutor(workers, context, _start, (make,)) as pool:
        futures = [pool.submit(_run, plan) for plan in plans]
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


def _start(make: MakeEvaluator) -> None:
    global _make
    for number in (signal.SIGINT, signal.SIGUSR1):  # meant for the parent, which stops in order
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()  # what was imported stays; the collector would look through it again and again
    _make = make


def _end_with_parent() -> None:
    """A parent that is killed closes no queue: its workers would wait for work for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _run(plan: EpisodePlan) -> EpisodeResult:
    # What fails here, unlike what fails in an episode, is no outcome: it ends the evaluation.
    global _evaluator
    if _evaluator is None:
        _evaluator = _make()
    return _evaluator.run(plan)
