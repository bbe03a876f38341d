"""Manifests: hashes and size of every file of a dataset, kept in git beside DVC's pointer."""

from pathlib import Path

from pydantic import ValidationError

from vla.config.datasets import DatasetEntry
from vla.data.places import dataset_folder
from vla.errors import UserError
from vla.files.digests import file_digests
from vla.files.hashing import sha256_json
from vla.records.manifest import Manifest, PinnedFile

HASHES = ("sha256", "md5")  # of every file: the project's, and DVC's


def list_files(dataset: Path) -> Manifest:
    """Every file of a dataset, which is a folder or one file, with its hashes."""
    if dataset.is_file():
        return Manifest(files=[_pinned_file(dataset, dataset.parent)])
    paths = sorted(path for path in dataset.rglob("*") if path.is_file())
    if not paths:
        raise UserError(f"{dataset} holds no files.", "Put the dataset there first.")
    if paths == [dataset / dataset.name]:
        raise UserError(
            f"{paths[0]} is the only file of a folder of its own name.",
            "Rename one of the two: a manifest would not tell them apart.",
        )
    return Manifest(files=[_pinned_file(path, dataset) for path in paths])


def _pinned_file(path: Path, folder: Path) -> PinnedFile:
    name = path.relative_to(folder).as_posix()
    try:
        return PinnedFile(path=name, bytes=path.stat().st_size, **file_digests(path, HASHES))
    except ValidationError:
        raise UserError(
            f"{path} cannot be pinned: its name has characters that not every system takes.",
            "Rename it: letters, digits and . _ @ = + - are fine.",
        ) from None


def make_manifest(dataset: Path, destination: Path) -> Manifest:
    """Write the list of every file of `dataset` to `destination`; returns it."""
    manifest = list_files(dataset)
    manifest.write(destination)
    return manifest


def is_one_file(manifest: Manifest, name: str) -> bool:
    """Whether the dataset called `name` is a file itself, not a folder."""
    return [file.path for file in manifest.files] == [name]


def files_folder(entry: DatasetEntry, manifest: Manifest, root: Path) -> Path:
    """The folder that the manifest's paths are relative to: that around a dataset of one file."""
    dataset = dataset_folder(entry, root)
    return dataset.parent if is_one_file(manifest, dataset.name) else dataset


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; paths that would leave the dataset's folder are a `UserError`."""
    if not path.is_file():
        raise UserError(
            f"The dataset is not pinned here: {path} is missing.",
            f"Put the data into {path.name.removesuffix('.manifest.json')}/ and pin it with vla pin: "
            "see data/README.md, 'Add a dataset'.",
        )
    return Manifest.read(path)


def content_hash(manifest: Manifest) -> str:
    """Identity of a dataset: one hash over the names and hashes of its files, in any order."""
    return sha256_json(sorted((file.path, file.sha256) for file in manifest.files))
