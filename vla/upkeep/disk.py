"""What lies on the disk, by experiment and kind, and what of it finished work no longer needs."""

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vla.config.operation import CheckpointsSection
from vla.errors import UserError
from vla.files.clock import now
from vla.files.exclusive import exclusive
from vla.files.sealed import read_json
from vla.plan.keys import KEY_LENGTH
from vla.plan.plan import Plan
from vla.records.removals import RemovalEntry
from vla.records.run import RunRecord
from vla.source.snapshot import RECORD
from vla.training.retention import checkpoint_files, checkpoint_losses, kept_steps, shards_folder
from vla.upkeep.snapshots import snapshots, users

STORE = re.compile(rf".+-[0-9a-f]{{{KEY_LENGTH}}}")
KINDS = ("checkpoints", "results", "logs", "models", "archive")


@dataclass(frozen=True)
class Old:
    """Files that can go, of one run, store or snapshot, and why nobody needs them.

    `whole`: the folder goes with all that is in it.
    """

    folder: Path
    files: tuple[Path, ...]
    bytes: int
    why: str
    whole: bool = False


@dataclass(frozen=True)
class Kept:
    """A run whose checkpoints stay, a store or a snapshot that stays though nobody plans it, and why."""

    folder: Path
    why: str


def usage(root: Path) -> dict[str, dict[str, int]]:
    """Bytes on disk: experiment -> kind -> bytes; `(data)` for datasets and what all share.

    A file with several names (the policies in models/) counts once.
    """
    seen: set[tuple[int, int]] = set()
    found: dict[str, dict[str, int]] = {}
    for folder in sorted((root / "experiments").glob("*/")):
        kinds = {kind: _bytes(folder / kind, seen) for kind in KINDS}
        found[folder.name] = kinds
    folders = sorted((root / "data").glob("[!.]*/"))
    stores = {folder.name: _bytes(folder, seen) for folder in folders}
    shared = {"prepared stores": "data/.prepared", "DVC cache": ".dvc/cache", "MLflow": "mlruns"}
    stores |= {name: _bytes(root / folder, seen) for name, folder in shared.items()}
    return found | {"(data)": stores}


def find_old(plan: Plan) -> tuple[list[Old], list[Kept]]:
    """Checkpoints that finished runs no longer need, and stores that no experiment folder uses.

    A run is finished when its record is whole and its policy has the recorded bytes. Its policy,
    metrics, episodes and records stay, and so do checkpoints that `keep_best` and `keep_every`
    name, or an anomaly in its record. What an unfinished run would go on from stays, and so do a
    half-written store and, while an experiment folder cannot be read, every store.
    """
    old, kept = old_snapshots(plan.root)
    at_work = [f"{item.folder.name}: {item.why}" for item in kept]
    for folder in sorted((plan.root / "experiments").glob("*/checkpoints/*/")):
        try:
            old += _old_checkpoints(folder)
        except UserError as error:
            kept.append(Kept(folder, error.problem))
    stores = sorted((plan.root / "data/.prepared").glob("*/"))
    if at_work:  # with code or data of another state, which may use other stores
        why = f"may be used by the snapshot {at_work[0]}"
        return old, [*kept, *(Kept(folder, why) for folder in stores)]
    try:
        used = plan.used_stores()
    except UserError as error:
        return old, [*kept, *(Kept(folder, f"who uses it? {error.problem}") for folder in stores)]
    for folder in stores:
        if folder.name not in used:
            try:
                old.append(_old_store(folder))
            except UserError as error:
                kept.append(Kept(folder, error.problem))
    return old, kept


def remove(old: list[Old], root: Path) -> int:
    """Remove the files, note what went in results/removed.jsonl; returns the bytes it freed."""
    freed = 0
    (root / "results").mkdir(exist_ok=True)
    for item in old:
        with exclusive(item.folder):
            if item.whole:
                shutil.rmtree(item.folder)
            else:
                for path in item.files:
                    path.unlink(missing_ok=True)
                for folder in {path.parent for path in item.files} - {item.folder}:
                    with suppress(OSError):  # of what is not empty
                        folder.rmdir()
        freed += item.bytes
        entry = RemovalEntry(
            time=now(),
            folder=item.folder.relative_to(root).as_posix(),
            files=[path.name for path in item.files],
            bytes=item.bytes,
            why=item.why,
        )
        entry.append_to(root / "results/removed.jsonl")
    return freed


def old_snapshots(root: Path) -> tuple[list[Old], list[Kept]]:
    """Snapshots of code that no workflow and no job uses."""
    old, kept = [], []
    for folder in snapshots(root):
        why = users(folder)
        if why:
            kept.append(Kept(folder, why))
            continue
        found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        why = "code that nothing runs any more"
        old.append(Old(folder, (folder / RECORD,), _size(found), why, whole=True))
    return old, kept


def _old_checkpoints(folder: Path) -> Iterator[Old]:
    experiment = folder.parents[1]
    record_path = experiment / "results" / folder.name / "run.json"
    if not record_path.is_file():
        raise UserError("unfinished: it would go on from these", "Run snakemake.")
    with exclusive(folder):  # somebody at work there needs them
        record = RunRecord.read(record_path)
        named = set(record.check_files(experiment))
        resolved = read_json(record_path.with_name("config.resolved.json"))
        retention = CheckpointsSection.model_validate(resolved["checkpoints"])
        steps = kept_steps(checkpoint_losses(folder), retention, newest=0)
        steps |= {e.checkpoint for e in record.events if e.checkpoint is not None}
        keep = {path for step in steps for path in checkpoint_files(folder, step)}
        keep |= {path for step in steps for path in shards_folder(folder, step).glob("*")}
        patterns = ("step_*", "step_*/*", "half_done_*/*", ".*.part*")
        found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
        files = found - named - keep
    if files:
        yield Old(folder, tuple(sorted(files)), _size(files), "checkpoints of a finished run")


def _old_store(folder: Path) -> Old:
    """A store that no experiment folder uses, unless it is no finished store of this project's."""
    if folder.is_symlink() or not STORE.fullmatch(folder.name):
        raise UserError("not made by the workflow", "Remove it by hand.")
    if not (folder / "prepared.json").is_file():
        raise UserError("half written: somebody may be at work on it", "Remove it by hand if not.")
    files = tuple(path for path in folder.rglob("*") if path.is_file())
    why = "a store that no experiment folder uses; the dataset brings it back"
    return Old(folder, files, _size(files), why, whole=True)


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _bytes(folder: Path, seen: set[tuple[int, int]]) -> int:
    total = 0
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            identity = (status.st_dev, status.st_ino)
            if identity not in seen:
                seen.add(identity)
                total += status.st_size
    return total
