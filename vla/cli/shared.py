"""What commands share: the console, the project's folder, the plan, completion of names."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.knowledge.folders import find_folder
from vla.plan.deployment import Deployment
from vla.plan.plan import Plan

console = Console(highlight=False, soft_wrap=True)

VERDICT_STYLES = {
    "met": "green",
    "confirmed": "green",
    "finished": "green",
    "ok": "green",
    "not met": "red",
    "refuted": "red",
    "failed": "red",
    "fail": "red",
    "stopped": "yellow",
    "stopped early": "dim",
    "killed": "yellow",
    "warn": "yellow",
    "undecided": "yellow",
    "training": "cyan",
    "evaluating": "cyan",
}


def find_root() -> Path:
    """The project that the present folder lies in."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file() and (folder / "config/config.yaml").is_file():
            return folder
    raise UserError(f"{here} lies in no project.", "Go to the folder with the Snakefile.")


def read_plan(use_conda: bool = False) -> Plan:
    """What config/config.yaml asks for."""
    root = find_root()
    return Plan(root, read_yaml(root / "config/config.yaml"), Deployment.here(use_conda))


def find_experiments(
    plan: Plan, names: list[str] | None, whole: bool = False, listed: bool = True
) -> list:
    """The named experiments, or all that are listed. Of a sweep the chosen combination, or it as a `whole`.

    `listed`: whether config/config.yaml must list those that are named; no key depends on that.
    """
    if not listed:
        for name in names or ():
            find_folder(plan.root, name)
    return [
        plan.find_whole(name) if whole else plan.find_experiment(name, listed)
        for name in names or plan.config.experiments
    ]


def styled(word: str) -> str:
    """A word in the colour that it means."""
    style = VERDICT_STYLES.get(word)
    return f"[{style}]{word}[/]" if style else word


def complete_experiment(incomplete: str) -> list[str]:
    """Names of experiment folders, for the shell."""
    try:
        folders = find_root().glob("experiments/*/config.yaml")
    except UserError:
        return []
    return sorted(p.parent.name for p in folders if p.parent.name.startswith(incomplete))


Experiments = Annotated[
    list[str] | None,
    typer.Argument(
        help="Folders in experiments/; all that config/config.yaml lists when none is named.",
        autocompletion=complete_experiment,
    ),
]
ExperimentName = Annotated[
    str,
    typer.Argument(help="Folder in experiments/.", autocompletion=complete_experiment),
]
UseConda = Annotated[
    bool, typer.Option("--use-conda", help="Results made under snakemake --use-conda.")
]
