"""The nodes of a SLURM job that has several, and how processes are started on the others."""

import os
from dataclasses import dataclass

from vla.errors import UserError
from vla.process.slurm import ask, show

LOOPBACK = "127.0.0.1"
# Of what SLURM tells a step, a step inside it may know these; others would bind it to the outer one.
KEPT = ("SLURM_CONF", "SLURM_JOB_ID")


@dataclass(frozen=True)
class Nodes:
    """`names` of the nodes, this one first, and the `addresses` by which SLURM reaches them."""

    names: tuple[str, ...]
    addresses: tuple[str, ...]

    def command(self, tasks: int, cores: int, gpus: int) -> list[str]:
        """What starts a program on all nodes but this one: `tasks` on each, each with so many cores,
        all of a node's tasks seeing its `gpus`. What it reads from standard input, each task reads."""
        others = len(self.names) - 1
        options = {
            "nodes": others,
            "nodelist": ",".join(self.names[1:]),
            "ntasks": others * tasks,
            "ntasks-per-node": tasks,
            "cpus-per-task": cores,
            "distribution": "block",
            "cpu-bind": "none",
            "kill-on-bad-exit": 1,
        }
        if gpus:
            options["gres"] = f"gpu:{gpus}"
        return ["srun", "--overlap", *(f"--{name}={value}" for name, value in options.items())]


def job_nodes(count: int) -> Nodes:
    """The nodes of this job; `UserError` when it has not `count` of them."""
    if count == 1:
        return Nodes(("",), (LOOPBACK,))
    number = os.environ.get("SLURM_JOB_ID")
    if number is None:
        raise UserError(
            f"resources.nodes asks for {count} nodes, and this job runs on one machine without SLURM.",
            "Start snakemake with --profile profiles/slurm on a cluster, or set resources.nodes: 1.",
        )
    facts = show("job", number)
    found = ask("scontrol", "show", "hostnames", facts.get("NodeList", "")).split()
    if len(found) != count:
        raise UserError(
            f"resources.nodes asks for {count} nodes, and job {number} has {len(found)}: "
            f"{', '.join(found)}.",
            "Let the rule train_sharded set `nodes`: take it out of set-resources in the profile.",
        )
    first = facts.get("BatchHost", found[0])
    names = (first, *(name for name in found if name != first))
    return Nodes(names, tuple(show("node", name).get("NodeAddr", name) for name in names))


def step_environment() -> dict[str, str]:
    """This process's environment, as a step on other nodes takes it."""
    ours = ("SLURM_", "SBATCH_", "SRUN_")
    return {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not name.startswith(ours)
    }
