"""Verification records: which bytes a dataset had in this checkout when they were last hashed.

Verifying compares every byte with the manifest's SHA-256 and with the MD5 that DVC's pointer pins, in
one pass. A record holds the pointer's hash and the state of every file (`vla/files/states.py`): an
edited pointer asks for a new verification. Where states changed, the bytes decide: `touch` changes
nothing, a flipped bit asks for a new verification, which then fails. Records are numbered, never
overwritten.
"""

from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.data.manifest import HASHES, content_hash, files_folder
from vla.data.places import dataset_folder
from vla.data.pointer import read_pins
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.files.states import State, changed_files, check_changed, file_states
from vla.process.progress import Progress
from vla.records.manifest import Manifest
from vla.records.verification import VerificationRecord

# Up to this many bytes (about a second of hashing) are read again while the workflow is parsed.
REHASH_LIMIT = 2**30


def current_record(entry: DatasetEntry, root: Path, full: bool = False) -> Path:
    """Path of the verification record that the dataset's present files need.

    An existing path when the files are those that were verified; the next free number when
    nothing was verified yet, a file is missing or has other bytes, or `full` asks to read all again.
    `UserError` when pointer and manifest pin different files.
    """
    pins = read_pins(entry, root)
    manifest, data = pins.manifest, files_folder(entry, pins.manifest, root)
    folder = root / "data/.state" / Path(entry.path).name
    stem = content_hash(manifest)[:12]
    records = sorted(folder.glob(f"{stem}-*.verified.json"), key=_number)
    following = folder / f"{stem}-{_number(records[-1]) + 1 if records else 1}.verified.json"
    if full or not records or _unlisted(entry, manifest, root):
        return following
    present = file_states(manifest.files, data)
    if any(_size(present[file.path]) != file.bytes for file in manifest.files):
        return following
    latest: tuple[Path, VerificationRecord] | None = None
    for path in reversed(records):
        record = VerificationRecord.read(path)
        if record.pointer != pins.pointer:
            continue
        if record.files == present:
            return path
        latest = latest or (path, record)
    if latest is None:
        return following
    path, record = latest
    changed = changed_files(manifest.files, present, record.files)
    if sum(file.bytes for file in changed) > REHASH_LIMIT:
        return following
    # The record's SHA-256 and MD5 were of the same bytes: one of them tells whether these are back.
    same = all(sha256_file(data / file.path) == file.sha256 for file in changed)
    return path if same else following


def verify(entry: DatasetEntry, root: Path, record: Path, threads: int = 1) -> None:
    """Hash every file against manifest and pointer, and write the record; `UserError` on any difference."""
    pins = read_pins(entry, root)
    manifest = pins.manifest
    progress = Progress("verify", len(manifest.files), "file")
    states, problems = check_changed(
        manifest.files,
        files_folder(entry, manifest, root),
        {},
        threads,
        lambda done, files: progress.update(),
        HASHES,
    )
    problems += _unlisted(entry, manifest, root)
    if problems:
        raise UserError(
            f"Dataset {entry.path} failed verification: it is not what {entry.path}.dvc and "
            f"{entry.path}.manifest.json pin:\n  " + "\n  ".join(problems),
            f"Get the pinned bytes back: dvc checkout --force {entry.path}.dvc "
            f"(after dvc fetch {entry.path}.dvc if the cache lacks them); "
            "or pin the new data under a new version with vla pin (data/README.md).",
        )
    VerificationRecord(
        dataset=entry.path, content=content_hash(manifest), pointer=pins.pointer, files=states
    ).write(record)


def require_verified(entry: DatasetEntry, root: Path) -> None:
    """Pass when the files are the verified ones; called before anything reads them."""
    if not current_record(entry, root).is_file():
        raise UserError(
            f"The files of {entry.path} are not those that were verified.",
            "Run snakemake again: it verifies them first.",
        )


def _unlisted(entry: DatasetEntry, manifest: Manifest, root: Path) -> list[str]:
    dataset, folder = dataset_folder(entry, root), files_folder(entry, manifest, root)
    listed = {folder / file.path for file in manifest.files}
    found = {path for path in dataset.rglob("*") if path.is_file()}
    return [f"{path} is not in the manifest" for path in sorted(found - listed)]


def _size(state: State) -> int | None:
    return state.bytes if state else None


def _number(record: Path) -> int:
    return int(record.name.split("-")[1].split(".")[0])
