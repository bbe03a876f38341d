"""Run again what a record describes, in a folder of its own, and compare."""

import subprocess
import sys
from pathlib import Path

from vla.errors import UserError
from vla.files.described import check_file
from vla.reproduction.verify import FinishedRun, Verdict, read_run, verify
from vla.source.git import decides_result, patched_files


def replay(run: FinishedRun, folder: Path, root: Path, margin: float, tolerance: float) -> Verdict:
    """Check out the run's commit in `folder`, train and evaluate there, and compare the runs.

    Uncommitted changes that were recorded are applied. Runs in the environment of this process,
    or under `--use-conda` when the run was made so. `margin`, `tolerance`: see `verify`.
    `UserError` when the code cannot be had as it was: made outside git, or with uncommitted files
    of which the record's patch is missing, has changed or lacks one that decides the result.
    """
    commit = run.record.git.commit
    if commit is None:
        raise UserError(
            f"{run.path} was made outside git: its code is not known.", "Compare with verify."
        )
    patch = _recorded_patch(run, root)
    if folder.exists():
        raise UserError(f"{folder} exists.", "Name a folder that does not.")
    _call(["git", "clone", "--quiet", "--no-checkout", str(root), str(folder)], root)
    _call(["git", "checkout", "--quiet", commit], folder)
    _share_data(root, folder)
    experiment = run.record.experiment
    command = [sys.executable, "-m", "snakemake", "--quiet", "rules", "--until", "evaluate"]
    command += ["--config", f'experiments=["{experiment}"]', "comparisons=[]"]
    if patch:
        # Nobody's settings may mend white space in what ran.
        _call(["git", "apply", "--whitespace=nowarn", str(patch)], folder)
        command.append("allow_dirty=True")
    if run.record.environment.deployment == "conda":
        command.append("--use-conda")
    _call(command, folder)
    pattern = f"experiments/{experiment}/results/seed{run.record.seed}-*/run.json"
    return verify(run, read_run(max(folder.glob(pattern))), margin, tolerance)


def _recorded_patch(run: FinishedRun, root: Path) -> Path | None:
    """The uncommitted changes of a run, checked; a file that its record does not name is none of them."""
    named = run.record.files.patch
    patch = check_file(named, run.folder) if named else None
    kept = patched_files(patch, root) if patch else set()
    executed = run.record.identity["code"]
    lacking = [
        name
        for name in run.record.git.dirty
        if name not in kept and (decides_result(name) or name in executed)
    ]
    if lacking:
        raise UserError(
            f"{run.path} was made with uncommitted files that its patch lacks: {', '.join(lacking)}.",
            "The code that ran cannot be had again: commit these, run anew, and replay that run.",
        )
    return patch


def _share_data(root: Path, folder: Path) -> None:
    """What DVC has here need not be brought from afar again, and its private settings hold there."""
    private = root / ".dvc/config.local"
    if private.is_file():
        (folder / ".dvc/config.local").write_bytes(private.read_bytes())
    cache = root / ".dvc/cache"
    if cache.is_dir():
        _call(
            [sys.executable, "-m", "dvc", "cache", "dir", "--local", str(cache), "--quiet"], folder
        )


def _call(command: list[str], folder: Path) -> None:
    """Run it; what it prints is progress, so it is shown."""
    if subprocess.run(command, cwd=folder).returncode:
        raise UserError(
            f"{' '.join(command[:4])} failed in {folder}.",
            "See its message above; mend, go on there.",
        )
