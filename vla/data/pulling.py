"""Bring a dataset's files here with DVC."""

import subprocess
import sys
from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.data.dvc import Remote, remote, secrets
from vla.data.places import pointer_file
from vla.errors import UserError
from vla.files.atomic import write_text
from vla.source.snapshot import project_of

S3_TOOLS = ".venv-s3"  # of `make s3`: its client cannot be in one environment with the rest
LINES = 5  # of DVC's words, in a message


def pull(entry: DatasetEntry, missing: list[Path], root: Path) -> None:
    """Bring the `missing` files of a dataset from its remote; what DVC says goes to the log.

    `UserError` naming the remote when some did not come. Those that did stay in DVC's cache.
    """
    root = _home(entry, root)
    source = remote(root, entry.remote)
    if entry.remote and not source.address:
        raise UserError(
            f"{entry.path} comes from the DVC remote {entry.remote}, which is not configured here.",
            f"dvc remote add {entry.remote} s3://BUCKET/FOLDER (docs/services.md)",
        )
    _allow_no_git(root)
    command = [*dvc_command(source, root), "pull", f"{entry.path}.dvc"]
    command += ["--remote", entry.remote] if entry.remote else []
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True)
    said = finished.stderr
    for secret in secrets(root):
        said = said.replace(secret, "***")
    print(finished.stdout, said, sep="\n")
    still = [path for path in missing if not path.is_file()]
    if still:
        lines = [line.strip() for line in said.splitlines() if line.startswith("ERROR")]
        raise UserError(
            f"dvc pull did not bring {len(still)} of {len(missing)} missing files of {entry.path}, such as "
            f"{still[0]}, from the DVC remote {source}:\n  "
            + "\n  ".join(lines[:LINES] or ["(no error)"]),
            "When the remote answers again, run snakemake again: what has come stays in DVC's cache. "
            "How to set a remote and its credentials: docs/services.md.",
        )


def _home(entry: DatasetEntry, root: Path) -> Path:
    """Where DVC works: in the project, also for a snapshot of it, whose data is the project's."""
    project = project_of(root)
    now, then = pointer_file(entry, project), pointer_file(entry, root)
    if not now.is_file() or now.read_bytes() != then.read_bytes():
        raise UserError(
            f"{now} has changed since this workflow was submitted, and data is in no snapshot.",
            f"Bring it back (git checkout {entry.path}.dvc), or submit again.",
        )
    return project


def dvc_command(source: Remote, root: Path) -> list[str]:
    """The DVC that can reach a remote."""
    python = root / S3_TOOLS / "bin/python"
    if not source.address.startswith("s3://"):
        return [sys.executable, "-m", "dvc"]
    if not python.exists():
        raise UserError(
            f"The DVC remote {source} is S3 storage, whose client is not installed here.",
            f"make s3 (it fills {python.parents[1]})",
        )
    return [str(python), "-m", "dvc"]


def _allow_no_git(root: Path) -> None:
    """DVC refuses to work in a source archive, which has no git repository, until told to."""
    local = root / ".dvc/config.local"
    if not (root / ".git").exists() and not local.exists():
        write_text(local, "[core]\n    no_scm = true\n")
