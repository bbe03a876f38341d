"""Whether several nodes can be had here."""

import shutil

from vla.plan.items import Experiment
from vla.records.check import Finding


def node_findings(experiment: Experiment) -> list[Finding]:
    """One line of an experiment that asks for several nodes, which SLURM alone gives."""
    count = experiment.config.resources.nodes
    if count == 1:
        return []
    if shutil.which("srun"):
        return [Finding("nodes", "ok", f"{count}, of a SLURM cluster")]
    found = f"resources.nodes asks for {count}; this machine has no SLURM (srun)"
    way_out = "Run with --profile profiles/slurm on a cluster, or set resources.nodes: 1."
    return [Finding("nodes", "fail", found, way_out)]
