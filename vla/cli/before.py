"""Before a run: make an experiment, look at what it lacks."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from vla.checks.cluster import check_cluster
from vla.checks.profile import Profile
from vla.cli.shared import (
    Experiments,
    UseConda,
    complete_experiment,
    console,
    find_root,
    read_plan,
    styled,
)
from vla.knowledge.folders import create_experiment, find_folder
from vla.plan.missing import MissingError

ON_THIS_MACHINE = ("device", "precision")  # lines about the machine that the check runs on


def new(
    name: Annotated[str, typer.Argument(help="Folder to make, such as exp_004_more_data.")],
    parent: Annotated[
        str,
        typer.Option(
            "--from",
            help="Experiment whose configuration and training code it starts from.",
            autocompletion=complete_experiment,
        ),
    ] = "",
    hypothesis: Annotated[str, typer.Option(help="What you expect, and why.")] = "",
) -> None:
    """Make an experiment's folder, and list it in config/config.yaml."""
    from vla.workflow.drafts import write_draft

    root = find_root()
    folder = create_experiment(root, name, parent, hypothesis).relative_to(root)
    write_draft(read_plan().find_experiment(name))
    console.print(f"[green]{folder}[/] is made and listed in config/config.yaml.")
    if parent:
        console.print(f"It will be compared with {parent} on the same episodes.")
    missing = "goals and plan" if hypothesis else "hypothesis, goals and plan"
    console.print(f"\nNext: write {missing} and what differs in [bold]{folder}/config.yaml[/],")
    console.print(f"then [bold]vla check {name}[/].")


ClusterProfile = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        help="Ask the cluster of this profile, such as profiles/slurm, for its devices.",
    ),
]


def check(
    names: Experiments = None, use_conda: UseConda = False, profile: ClusterProfile = None
) -> None:
    """Look at all that must be there before a run: words, code, data, disk, device, time.

    Also of experiments that config/config.yaml does not list.
    The workflow does the same before it trains, and stops when a line fails.
    """
    from vla.checks.findings import check_experiment, missing_findings  # PyTorch takes its time

    plan = read_plan(use_conda)
    cluster = Profile(profile) if profile else None
    failed = False
    for folder in [find_folder(plan.root, name).name for name in names or plan.config.experiments]:
        try:
            experiment = plan.read_experiment(folder)
            findings = check_experiment(experiment, plan.root, plan.config.allow_dirty)
            if cluster:  # jobs run on its nodes, not here
                findings = [finding for finding in findings if finding.name not in ON_THIS_MACHINE]
                findings += check_cluster(experiment, cluster)
        except MissingError as error:
            findings = missing_findings(error)
        table = Table(title=folder, title_justify="left", box=None, pad_edge=False)
        for heading in ("", "What", "Found"):
            table.add_column(heading, overflow="fold")
        for finding in findings:
            way_out = f"\n[dim]→ {escape(finding.way_out)}[/]" if finding.way_out else ""
            table.add_row(styled(finding.status), finding.name, escape(finding.found) + way_out)
        console.print(table)
        wrong = sum(finding.status == "fail" for finding in findings)
        failed = failed or wrong > 0
        command = f"snakemake --profile {profile}" if profile else "snakemake"
        verdict = f"[red]not ready: {wrong} to mend[/]" if wrong else f"[green]ready[/]: {command}"
        console.print(f"{folder} is {verdict}\n")
    raise typer.Exit(int(failed))
