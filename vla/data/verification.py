"""Verification records: which bytes a dataset had in this checkout when they were last hashed.

A record holds size, times of modification and change, and inode of every file. As long as these are
unchanged the files count as verified. Where they changed, the bytes decide: `touch` changes nothing,
a flipped bit asks for a new verification, which then fails. Records are numbered, never overwritten.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.data.manifest import content_hash, read_manifest
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.process.progress import Progress
from vla.records.manifest import Manifest
from vla.records.verification import FileState, VerificationRecord

# Up to this many bytes (about a second of hashing) are read again while the workflow is parsed.
REHASH_LIMIT = 2**30
# Two changes within a clock tick of the file system have one time: 4 ms, or seconds on old ones.
TICK, COARSE_TICK = 0.02, 2.0


def current_record(entry: DatasetEntry, root: Path, full: bool = False) -> Path:
    """Path of the verification record that the dataset's present files need.

    An existing path when the files are those that were verified; the next free number when
    nothing was verified yet, a file is missing or has other bytes, or `full` asks to read all again.
    """
    manifest = read_manifest(entry.manifest(root))
    folder = root / "data/.state" / Path(entry.path).name
    stem = content_hash(manifest)[:12]
    records = sorted(folder.glob(f"{stem}-*.verified.json"), key=_number)
    following = folder / f"{stem}-{_number(records[-1]) + 1 if records else 1}.verified.json"
    if full or not records or _unlisted(manifest, entry.folder(root)):
        return following
    present = file_states(manifest, entry.folder(root))
    for record in reversed(records):
        if VerificationRecord.read(record).files == present:
            return record
    newest = VerificationRecord.read(records[-1]).files
    changed = [file for file in manifest.files if present[file.path] != newest[file.path]]
    if any(present[file.path] is None for file in changed):
        return following
    if sum(file.bytes for file in changed) > REHASH_LIMIT:
        return following
    data = entry.folder(root)
    same = all(sha256_file(data / file.path) == file.sha256 for file in changed)
    return records[-1] if same else following


def file_states(manifest: Manifest, folder: Path) -> dict[str, FileState | None]:
    """The present state of each file of the manifest; None when it is missing."""
    states: dict[str, FileState | None] = {}
    for file in manifest.files:
        try:
            status = (folder / file.path).stat()
            states[file.path] = FileState(
                status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
            )
        except FileNotFoundError:
            states[file.path] = None
    return states


def verify(entry: DatasetEntry, root: Path, record: Path, threads: int = 1) -> None:
    """Hash every file against the manifest and write the record; `UserError` on any difference."""
    manifest = read_manifest(entry.manifest(root))
    folder = entry.folder(root)
    before = file_states(manifest, folder)
    _let_the_clock_tick(before)
    problems = _unlisted(manifest, folder)
    present = []
    for file in manifest.files:
        if before[file.path] is None:
            problems.append(f"{folder / file.path} is missing")
        else:
            present.append(file)
    with ThreadPoolExecutor(threads) as pool:  # hashing releases the interpreter's lock
        hashes = pool.map(lambda file: sha256_file(folder / file.path), present)
        progress = Progress("verify", len(present), "file")
        for file, found in zip(present, hashes, strict=True):
            progress.update()
            if found != file.sha256:
                path = folder / file.path
                problems.append(
                    f"{path} does not hold the bytes that were pinned:\n"
                    f"    expected sha256 {file.sha256} ({file.bytes} bytes)\n"
                    f"    found    sha256 {found} ({path.stat().st_size} bytes)"
                )
    if problems:
        raise UserError(
            f"Dataset {entry.path} failed verification:\n  " + "\n  ".join(problems),
            f"Get the pinned bytes back: dvc checkout --force {entry.path}.dvc "
            f"(after dvc fetch {entry.path}.dvc if the cache lacks them); "
            "or pin the new data under a new version (data/README.md).",
        )
    if file_states(manifest, folder) != before:
        raise UserError(
            f"Files of {entry.path} changed while they were hashed.", "Run snakemake again."
        )
    content = content_hash(manifest)
    VerificationRecord(dataset=entry.path, content=content, files=before).write(record)


def require_verified(entry: DatasetEntry, root: Path) -> Manifest:
    """The manifest, when the files are the verified ones; called before anything reads them."""
    manifest = read_manifest(entry.manifest(root))
    record = current_record(entry, root)
    if not record.is_file():
        raise UserError(
            f"The files of {entry.path} are not those that were verified.",
            "Run snakemake again: it verifies them first.",
        )
    return manifest


def _let_the_clock_tick(states: dict[str, FileState | None]) -> None:
    """Wait until a change after this moment must show in a file's times."""
    times = [
        moment
        for state in states.values()
        if state
        for moment in (state.modified_ns, state.changed_ns)
    ]
    coarse = all(moment % 10**9 == 0 for moment in times)
    tick = COARSE_TICK if coarse else TICK
    age = time.time() - max(times, default=0) / 1e9
    if age < tick:  # negative when the clock was set back
        time.sleep(min(tick - age, COARSE_TICK))


def _unlisted(manifest: Manifest, folder: Path) -> list[str]:
    listed = {file.path for file in manifest.files}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return [f"{folder / name} is not in the manifest" for name in sorted(found - listed)]


def _number(record: Path) -> int:
    return int(record.name.split("-")[1].split(".")[0])
