"""The other processes of a training job, on the same machine: started, and ended with it.

The job's own process is rank 0. Each other one (`python -m vla.workflow.ranks`) is told by one line of
JSON what it trains.
"""

import ctypes
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import distributed as dist

from vla.errors import GoOnLaterError, UserError
from vla.plan.items import Experiment, Run
from vla.process.determinism import choose_device, set_determinism, training_mode
from vla.training.job import open_data, train_run
from vla.training.ranks import Ranks
from vla.training.together import Following, join_ranks
from vla.workflow.context import JobContext

PR_SET_PDEATHSIG = 1  # of prctl(2)
PATIENCE = 10  # seconds in which a rank ends once rank 0 has


@contextmanager
def training_processes(
    experiment: Experiment, run: Run, config: dict[str, Any], logs: Path
) -> Iterator[Ranks]:
    """Rank 0 of `resources.training_processes`; the others work until it is left.

    `config`: Snakemake's configuration of this job; `logs`: where each rank's log goes. `UserError` when
    one of them died.
    """
    count = experiment.config.resources.training_processes
    if count == 1:
        yield Ranks()
        return
    with tempfile.TemporaryDirectory() as folder:
        told = {"config": config, "experiment": experiment.name, "run": run.name}
        told["meeting"] = f"{folder}/meeting"
        logs.mkdir(parents=True, exist_ok=True)
        program = [sys.executable, "-m", "vla.workflow.ranks"]
        others = [
            start(f"Rank {rank}", program, told | {"rank": rank}, logs / f"rank{rank}.log")
            for rank in range(1, count)
        ]
        try:
            device = choose_device(experiment.accelerator)
            yield join_ranks(0, count, device, told["meeting"])
        except RuntimeError as error:  # of an exchange whose other side is gone
            raise death(others, count) or error from None
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()
            for other in others:
                other.end()


@dataclass(frozen=True)
class Other:
    """A process beside rank 0: `name` in messages, and where its log goes."""

    name: str
    process: subprocess.Popen
    log: Path

    def code(self) -> int | None:
        """Its exit code, once it has ended."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        if self.code() is None:
            self.process.kill()
            self.process.wait()


def start(
    name: str,
    program: list[str],
    told: dict[str, Any],
    log: Path,
    environment: dict[str, str] | None = None,
) -> Other:
    """Start `program`, which is `told` what it has to do; by default in this process's environment."""
    with open(log, "ab") as stream:
        process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            text=True,
            env=environment,
        )
    process.stdin.write(json.dumps(told, default=str) + "\n")
    process.stdin.close()
    return Other(name, process, log)


def death(others: list[Other], count: int) -> UserError | None:
    """Of the first one that died, in words; None when none did. `count`: of all ranks."""
    for other in others:
        if other.code():
            return UserError(
                f"{other.name} of {count} died (exit code {other.process.returncode}): {other.log}.",
                "Run snakemake again: training goes on from the last checkpoint.",
            )
    return None


def become_follower() -> dict[str, Any]:
    """Let this process be a rank that ends with rank 0; returns what it is told."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no rank outlives rank 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):  # meant for rank 0
        signal.signal(number, signal.SIG_IGN)
    return json.loads(sys.stdin.readline())


def main() -> None:
    """What the other ranks run."""
    told = become_follower()
    plan = JobContext.from_config(told["config"]).plan(told["config"], told["run"])
    experiment = plan.find_experiment(told["experiment"])
    run, config = experiment.find_run(told["run"]), experiment.config
    mode = training_mode(config.training.determinism, experiment.accelerator)
    set_determinism(config.resources.training_threads, mode)
    device = choose_device(experiment.accelerator, told["rank"])
    count = config.resources.training_processes
    ranks = join_ranks(told["rank"], count, device, told["meeting"])
    try:
        train_run(experiment, run, open_data(experiment), Following(), ranks)
    except GoOnLaterError as error:
        print(error)
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
