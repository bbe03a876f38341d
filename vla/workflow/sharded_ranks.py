"""The processes of a sharded training: rank 0 is the job's own, others are beside it and on other nodes.

Each other one (`python -m vla.workflow.sharded_ranks`) is told by one line of JSON what it trains and
where rank 0 is to be met.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import distributed as dist

from vla.errors import GoOnLaterError, UserError
from vla.plan.items import Experiment, Run
from vla.plan.requests import sharded_request
from vla.process.determinism import choose_device, set_determinism, training_mode
from vla.process.nodes import job_nodes, step_environment
from vla.training.job import open_data
from vla.training.sharded.job import train_run
from vla.training.sharded.meeting import find_meeting, join, open_meeting
from vla.training.sharded.places import Place
from vla.training.sharded.together import FollowingShards
from vla.workflow.context import JobContext
from vla.workflow.ranks import become_follower, death, start

PROGRAM = [sys.executable, "-m", "vla.workflow.sharded_ranks"]


@contextmanager
def sharded_processes(
    experiment: Experiment, run: Run, config: dict[str, Any], logs: Path
) -> Iterator[Place]:
    """Rank 0 of `resources.training_processes`; the others work until it is left.

    `config`: Snakemake's configuration of this job; `logs`: where ranks' logs go. `UserError` when one
    of them died.
    """
    resources = experiment.config.resources
    count, beside = resources.training_processes, resources.training_processes // resources.nodes
    nodes = job_nodes(resources.nodes)
    meeting = open_meeting(nodes.addresses[0], count)
    told = {"config": config, "experiment": experiment.name, "run": run.name}
    told |= {"address": nodes.addresses[0], "port": meeting.port}
    logs.mkdir(parents=True, exist_ok=True)
    others = [
        start(f"Rank {rank}", PROGRAM, told | {"rank": rank}, logs / f"rank{rank}.log")
        for rank in range(1, beside)
    ]
    if resources.nodes > 1:
        request = sharded_request(experiment)
        command = nodes.command(beside, request.cores // beside, request.gpus)
        log = logs / "other_nodes.log"
        name = f"One of the ranks {beside} to {count - 1}"
        others.append(start(name, command + PROGRAM, told, log, step_environment()))
    try:
        place = Place(0, count, 0, beside)
        join(place, meeting, choose_device(experiment.accelerator), nodes.addresses[-1])
        yield place
    except RuntimeError as error:  # of an exchange whose other side is gone
        raise death(others, count) or error from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
        for other in others:
            other.end()


def own_place(told: dict[str, Any], count: int, beside: int) -> Place:
    """Where this process is: it was told its rank, or SLURM says it (a task a rank, node by node)."""
    if "rank" in told:
        return Place(told["rank"], count, told["rank"], beside)
    rank = beside + int(os.environ["SLURM_PROCID"])
    return Place(rank, count, int(os.environ["SLURM_LOCALID"]), beside)


def main() -> None:
    """What the other ranks run."""
    told = become_follower()
    plan = JobContext.from_config(told["config"]).plan(told["config"], told["run"])
    experiment = plan.find_experiment(told["experiment"])
    run, config = experiment.find_run(told["run"]), experiment.config
    count, nodes = config.resources.training_processes, config.resources.nodes
    place = own_place(told, count, count // nodes)
    mode = training_mode(config.training.determinism, experiment.accelerator)
    set_determinism(config.resources.training_threads, mode)
    device = choose_device(experiment.accelerator, place.local)
    meeting = find_meeting(told["address"], told["port"], count)
    join(place, meeting, device, told["address"])
    try:
        train_run(experiment, run, open_data(experiment), FollowingShards(), place)
    except GoOnLaterError as error:
        print(error)
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
