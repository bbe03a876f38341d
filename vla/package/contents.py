"""What goes into a package of an experiment: source, results and data, each file checked first."""

from pathlib import Path

from vla.data.dvc import remote
from vla.data.manifest import content_hash, files_folder, read_manifest
from vla.data.places import manifest_file, store_record
from vla.errors import UserError
from vla.files.described import check_file
from vla.package.project import DATA, OUTPUTS, SOURCE
from vla.package.writing import PackedFile, packed_record
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.records.manifest import Manifest
from vla.records.package import PackedDataset, SourceRecord
from vla.source.git import git_state, may_decide
from vla.source.packed import RECORD
from vla.source.tracked import tracked_files
from vla.upkeep.archive import archived_files

SMALL = 100_000_000  # bytes: a dataset up to this size is packed without being asked for
# What a run leaves in logs/ that people read; trackers keep their own files there, too.
LOGS = ("*.log", "*.tsv", "*.csv", "*.jsonl")


def require_committed(root: Path) -> str:
    """The commit of a tree with nothing that decides a result uncommitted; else `UserError`."""
    state = git_state(root)
    if state["commit"] is None:
        raise UserError(f"{root} is no git repository.", "A package is made from a commit.")
    dirty = [name for name in state["dirty"] if may_decide(name)]
    if dirty:
        raise UserError(
            f"Uncommitted: {', '.join(dirty[:5])}{', …' if len(dirty) > 5 else ''}.",
            "git commit them, run snakemake if it then has something to do, and package again.",
        )
    return state["commit"]


def source_files(root: Path, commit: str, folder: Path) -> dict[str, PackedFile]:
    """Every file of the commit, and the record that stands in for Git on the other side.

    `folder`: where git writes the files, empty or not there.
    """
    files = {
        file.name: PackedFile(file.path, file.executable) for file in tracked_files(root, folder)
    }
    hashes = {name: file.sha256 for name, file in files.items()}
    record = packed_record(SourceRecord(commit=commit, files=hashes))
    return {f"{SOURCE}/{name}": file for name, file in files.items()} | {
        f"{SOURCE}/{RECORD}": record
    }


def output_files(plan: Plan, experiment: Experiment, weights: bool) -> dict[str, PackedFile]:
    """Records and what they name, documents, logs and benchmarks; `UserError` when one has changed."""
    paths = set(archived_files(experiment))
    for run in experiment.runs:
        paths.add(experiment.results(run.name, "check.json"))
        paths |= _logs(experiment.folder / "logs" / run.name)
    for item in experiment.documents.values():
        paths |= set((experiment.folder / "logs").glob(f"{item.name}*"))
    paths |= {store_record(plan.root, store.name) for store in experiment.stores}
    paths |= {plan.verification(entry) for entry in experiment.datasets}
    report = plan.root / "reports" / plan.report.name / "report.html"
    paths |= {report} if report.is_file() else set()
    kept = (path for path in paths if weights or path.suffix != ".safetensors")
    return {
        f"{OUTPUTS}/{path.relative_to(plan.root).as_posix()}": PackedFile(path)
        for path in kept
        if path.is_file()
    }


def _logs(folder: Path) -> set[Path]:
    return {path for pattern in LOGS for path in folder.glob(pattern)}


def data_files(
    plan: Plan, experiment: Experiment, everything: bool, source: dict[str, PackedFile]
) -> tuple[dict[str, PackedFile], tuple[PackedDataset, ...]]:
    """The datasets' files, where they are small or `everything` is asked for, and what is said of them.

    Files that `source` holds in a DVC store are not packed twice.
    """
    files: dict[str, PackedFile] = {}
    described = []
    for store in experiment.stores:
        manifest = read_manifest(manifest_file(store.entry, plan.root))
        size = sum(file.bytes for file in manifest.files)
        packed = "pointer"
        if _stored(manifest, plan.root, source):
            packed = "store"
        elif everything or size <= SMALL:
            packed = "files"
            folder = files_folder(store.entry, manifest, plan.root)
            for file in manifest.files:
                path = check_file(file, folder)
                name = f"{DATA}/{path.relative_to(plan.root / 'data').as_posix()}"
                files[name] = PackedFile(path)
        described.append(
            PackedDataset(
                name=store.dataset,
                version=store.entry.version,
                content=content_hash(manifest),
                path=store.entry.path,
                files=len(manifest.files),
                bytes=size,
                source=store.entry.source,
                licence=store.entry.licence,
                packed=packed,
            )
        )
    return files, tuple(described)


def _stored(manifest: Manifest, root: Path, source: dict[str, PackedFile]) -> bool:
    """Whether the source holds every file in the DVC store that it names."""
    address = remote(root).address
    if not address or "://" in address:
        return False
    place = (root / ".dvc" / address).resolve()
    if not place.is_relative_to(root.resolve()):
        return False
    folder = f"{SOURCE}/{place.relative_to(root.resolve()).as_posix()}/files/md5"
    return all(f"{folder}/{file.md5[:2]}/{file.md5[2:]}" in source for file in manifest.files)
