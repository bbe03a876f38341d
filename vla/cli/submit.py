"""Start a workflow whose jobs run the code as it is now."""

import os
import sys

import typer

from vla.cli.shared import console, find_root
from vla.process.command import command_line
from vla.source.snapshot import project_of
from vla.upkeep.snapshots import in_use, make_snapshot
from vla.workflow.views import number_publication

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def submit(context: typer.Context) -> None:
    """Run snakemake with the code as it is now, whatever is edited while its jobs wait.

    Takes snakemake's arguments: vla submit --profile profiles/slurm

    In a folder of .snapshots/ it goes on with the code that lies there.
    """
    here = find_root()
    snapshot, root = make_snapshot(here), project_of(here)
    console.print(
        f"Jobs run the code in {snapshot.relative_to(root)}, whatever is edited meanwhile."
    )
    with in_use(snapshot) as lock:
        number_publication(snapshot)
        os.set_inheritable(lock, True)  # held until snakemake ends
        os.environ["VLA_COMMAND"] = command_line(sys.argv)
        os.environ["PYTHONPATH"] = str(snapshot)
        os.chdir(snapshot)
        os.execv(sys.executable, [sys.executable, "-m", "snakemake", *context.args])  # noqa: S606
