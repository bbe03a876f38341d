"""Verification records: which bytes a dataset had in this checkout when they were last hashed.

A record holds the state of every file (`vla/files/states.py`). Where states changed, the bytes
decide: `touch` changes nothing, a flipped bit asks for a new verification, which then fails.
Records are numbered, never overwritten.
"""

from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.data.manifest import content_hash, read_manifest
from vla.data.places import dataset_folder, manifest_file
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.files.states import changed_files, check_changed, file_states
from vla.process.progress import Progress
from vla.records.manifest import Manifest
from vla.records.verification import VerificationRecord

# Up to this many bytes (about a second of hashing) are read again while the workflow is parsed.
REHASH_LIMIT = 2**30


def current_record(entry: DatasetEntry, root: Path, full: bool = False) -> Path:
    """Path of the verification record that the dataset's present files need.

    An existing path when the files are those that were verified; the next free number when
    nothing was verified yet, a file is missing or has other bytes, or `full` asks to read all again.
    """
    manifest, data = read_manifest(manifest_file(entry, root)), dataset_folder(entry, root)
    folder = root / "data/.state" / Path(entry.path).name
    stem = content_hash(manifest)[:12]
    records = sorted(folder.glob(f"{stem}-*.verified.json"), key=_number)
    following = folder / f"{stem}-{_number(records[-1]) + 1 if records else 1}.verified.json"
    if full or not records or _unlisted(manifest, data):
        return following
    present = file_states(manifest.files, data)
    for record in reversed(records):
        if VerificationRecord.read(record).files == present:
            return record
    changed = changed_files(manifest.files, present, VerificationRecord.read(records[-1]).files)
    if any(present[file.path] is None for file in changed):
        return following
    if sum(file.bytes for file in changed) > REHASH_LIMIT:
        return following
    same = all(sha256_file(data / file.path) == file.sha256 for file in changed)
    return records[-1] if same else following


def verify(entry: DatasetEntry, root: Path, record: Path, threads: int = 1) -> None:
    """Hash every file against the manifest and write the record; `UserError` on any difference."""
    manifest, folder = read_manifest(manifest_file(entry, root)), dataset_folder(entry, root)
    progress = Progress("verify", len(manifest.files), "file")
    states, problems = check_changed(
        manifest.files, folder, {}, threads, lambda done, files: progress.update()
    )
    problems += _unlisted(manifest, folder)
    if problems:
        raise UserError(
            f"Dataset {entry.path} failed verification:\n  " + "\n  ".join(problems),
            f"Get the pinned bytes back: dvc checkout --force {entry.path}.dvc "
            f"(after dvc fetch {entry.path}.dvc if the cache lacks them); "
            "or pin the new data under a new version (data/README.md).",
        )
    content = content_hash(manifest)
    VerificationRecord(dataset=entry.path, content=content, files=states).write(record)


def require_verified(entry: DatasetEntry, root: Path) -> Manifest:
    """The manifest, when the files are the verified ones; called before anything reads them."""
    manifest = read_manifest(manifest_file(entry, root))
    record = current_record(entry, root)
    if not record.is_file():
        raise UserError(
            f"The files of {entry.path} are not those that were verified.",
            "Run snakemake again: it verifies them first.",
        )
    return manifest


def _unlisted(manifest: Manifest, folder: Path) -> list[str]:
    listed = {file.path for file in manifest.files}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return [f"{folder / name} is not in the manifest" for name in sorted(found - listed)]


def _number(record: Path) -> int:
    return int(record.name.split("-")[1].split(".")[0])
