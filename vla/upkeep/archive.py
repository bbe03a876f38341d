"""Archives of finished experiments: one tar with models, records and results, kept by DVC."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

from vla.errors import UserError
from vla.files.atomic import write_atomic
from vla.files.clock import now
from vla.plan.items import Experiment
from vla.plan.sweeps import Combination, Sweep, trained_parts
from vla.records.archives import ArchiveEntry
from vla.records.kinds import record_model
from vla.records.models import ModelsRecord

LEDGER = "archives.jsonl"


def archive(experiment: Experiment, remote: str) -> ArchiveEntry:
    """Pack what the experiment gave, add it to DVC, push it to `remote` (a DVC remote; "" does not
    push). Returns what is written in `archive/archives.jsonl`.

    The tar is the same bytes whenever it is made, so that packing twice keeps one copy.
    """
    files = archived_files(experiment)
    models = ModelsRecord.read(experiment.document("models", "models.json"))
    folder = experiment.folder / "archive"
    path = folder / f"v{models.version}-{experiment.documents['readme'].key}.tar"
    write_atomic(path, lambda temporary: _pack(files, experiment, temporary))
    pointer = path.with_name(f"{path.name}.dvc")
    _dvc(experiment.root, "add", "--quiet", str(path))
    if remote:
        _dvc(experiment.root, "push", "--quiet", "--remote", remote, str(pointer))
    entry = ArchiveEntry(
        time=now(),
        experiment=experiment.name,
        version=models.version,
        pointer=pointer.relative_to(experiment.root).as_posix(),
        bytes=path.stat().st_size,
        files=len(files),
        remote=remote or None,
    )
    entry.append_to(folder / LEDGER)
    return entry


def archived_files(experiment: Experiment) -> list[Path]:
    """Configuration and code, records and all that they name, and the documents; each checked."""
    if not experiment.document("readme", "README.md").is_file():
        raise UserError(
            f"{experiment.name} is not finished as it is configured now.", "Run snakemake first."
        )
    files = [experiment.folder / "config.yaml"]
    others = (experiment.folder / name for name in ("train.py", "notes.md"))
    files += [path for path in others if path.is_file()]
    records = experiment.film_records()
    if isinstance(experiment, Sweep):
        for number, decision in enumerate(experiment.decisions()):
            records.append(experiment.halving_record(number))
            records += [experiment.folder / measured.path for measured in decision.measured]
    for part in trained_parts(experiment):
        for run in part.runs:
            records.append(part.run_record(run))
            records += [part.evaluation_record(run, e) for e in run.evaluations]
            records += [part.validation_record(run)] if isinstance(part, Combination) else []
    for record in records:
        files.append(record)
        files += record_model(record).read(record).check_files(experiment.folder)
    for item in experiment.documents.values():
        files += [path for path in experiment.results(item.name).iterdir() if path.is_file()]
    return sorted(set(files))


def _pack(files: list[Path], experiment: Experiment, path: Path) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            content = file.read_bytes()
            name = f"{experiment.name}/{file.relative_to(experiment.folder).as_posix()}"
            member = tarfile.TarInfo(name)  # no times, no owner: the same files, the same bytes
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def _dvc(root: Path, *arguments: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, capture_output=True, text=True
    )
    if finished.returncode:
        raise UserError(
            f"dvc {' '.join(arguments)} failed:\n{finished.stderr.strip()}",
            "See dvc remote list and data/README.md for how to set a remote.",
        )
