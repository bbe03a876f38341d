"""Run again what a record describes, in a folder of its own, and compare."""

import subprocess
import sys
from pathlib import Path

from vla.errors import UserError
from vla.reproduction.verify import FinishedRun, Verdict, read_run, verify


def replay(run: FinishedRun, folder: Path, root: Path, margin: float = 0.1) -> Verdict:
    """Check out the run's commit in `folder`, run its experiment there, and compare the runs.

    Uncommitted changes that were recorded are applied. Runs in the environment of this process,
    or under `--use-conda` when the run was made so.
    """
    commit = run.record["git"]["commit"]
    if commit is None:
        raise UserError(
            f"{run.path} was made outside git: its code is not known.", "Compare with verify."
        )
    if folder.exists():
        raise UserError(f"{folder} exists.", "Name a folder that does not.")
    _run(["git", "clone", "--quiet", "--no-checkout", str(root), str(folder)], root)
    _run(["git", "checkout", "--quiet", commit], folder)
    patch = run.path.with_name("uncommitted.patch")
    if patch.is_file():
        _run(["git", "apply", str(patch)], folder)
    experiment = run.record["experiment"]
    command = [sys.executable, "-m", "snakemake", "--quiet", "rules"]
    command += ["--config", f'experiments=["{experiment}"]', "comparisons=[]"]
    if run.record["environment"]["deployment"] == "conda":
        command.append("--use-conda")
    _run(command, folder)
    seed = run.record["seed"]
    again = sorted(folder.glob(f"experiments/{experiment}/results/seed{seed}-*/run.json"))
    return verify(run, read_run(again[-1]), margin)


def _run(command: list[str], folder: Path) -> None:
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if finished.returncode:
        raise UserError(
            f"{' '.join(command[:3])} failed in {folder}:\n{finished.stdout}{finished.stderr}",
            "See its message above.",
        )
