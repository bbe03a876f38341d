"""Bring a dataset's files here when some are missing: with DVC, or by collecting them anew."""

import subprocess
import sys
from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.data.manifest import files_folder
from vla.data.places import dataset_folder
from vla.data.pointer import read_pins
from vla.data.pulling import pull
from vla.errors import UserError
from vla.records.fetch import FetchRecord
from vla.source.snapshot import project_of
from vla.workflow.job import start_job


def fetch(entry: DatasetEntry, root: Path, processes: int) -> list[str]:
    """Bring what is missing; returns the names of the files that were."""
    manifest = read_pins(entry, root).manifest
    folder = files_folder(entry, manifest, root)
    missing = [file.path for file in manifest.files if not (folder / file.path).is_file()]
    if missing and entry.collect:
        _collect(entry, root, processes)
    elif missing:
        pull(entry, [folder / name for name in missing], root)
    return missing


def _collect(entry: DatasetEntry, root: Path, processes: int) -> None:
    """Collect all of it anew; whether these are the pinned bytes is verified like a download."""
    folder = dataset_folder(entry, project_of(root))
    if folder.exists():
        raise UserError(
            f"{folder} lacks files, and collecting would remove what is in it.",
            f"Move {folder} away and run snakemake again: it is then collected anew.",
        )
    # In a process of its own: where datasets are only pulled, no simulator need be installed.
    command = [sys.executable, "-m", "vla.simulation.writing", entry.collect, folder, processes]
    finished = subprocess.run(
        [str(word) for word in command], cwd=root, stderr=subprocess.PIPE, text=True
    )
    print(finished.stderr)
    if finished.returncode:
        problem, _, way_out = finished.stderr.strip().rpartition("\n  -> ")
        raise UserError(
            f"{entry.path} could not be collected:\n{problem or way_out}",
            way_out if problem else "See the log for where it happened.",
        )


if __name__ == "__main__":
    with start_job(snakemake, f"fetch {snakemake.wildcards.dataset}") as job:
        entry = job.plan.find_dataset(snakemake.wildcards.dataset)
        pulled = fetch(entry, job.root, snakemake.threads)
        FetchRecord(pulled=pulled).write(Path(snakemake.output[0]))
