"""Manifests: hashes and size of every file of a dataset, kept in git beside DVC's pointer."""

import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from vla.errors import UserError
from vla.files.described import describe_file
from vla.files.hashing import sha256_json
from vla.files.yaml import read_yaml
from vla.records.manifest import Manifest, PinnedFile


def make_manifest(folder: Path, destination: Path) -> Manifest:
    """List every file below `folder` in `destination`; returns the manifest."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise UserError(f"{folder} holds no files.", "Put the dataset there first.")
    files = [PinnedFile(**asdict(describe_file(path, folder)), md5=_md5(path)) for path in paths]
    manifest = Manifest(files=files)
    manifest.write(destination)
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; paths that would leave the dataset's folder are a `UserError`."""
    if not path.is_file():
        raise UserError(
            f"The dataset is not pinned here: {path} is missing.",
            f"Put the data below {path.name.removesuffix('.manifest.json')}/ and pin it: "
            "see data/README.md, 'Add a dataset'.",
        )
    return Manifest.read(path)


def check_pointer(manifest: Manifest, pointer: Path) -> None:
    """Stop when DVC's pointer pins other files than the manifest does.

    DVC's hash of a folder is the MD5 of a JSON list of its files' MD5, in the order of their names.
    """
    if not pointer.is_file():
        raise UserError(
            f"The dataset is not tracked by DVC: {pointer} is missing.",
            f"Restore it (git checkout -- {pointer}), or: dvc add {pointer.with_suffix('')}",
        )
    files = sorted(manifest.files, key=lambda file: file.path)
    listing = [{"md5": file.md5, "relpath": file.path} for file in files]
    expected = hashlib.md5(json.dumps(listing).encode(), usedforsecurity=False).hexdigest()
    listed = {
        "md5": f"{expected}.dir",
        "size": sum(file.bytes for file in files),
        "nfiles": len(files),
    }
    way_out = "Restore both from one commit, or pin the data under a new version (data/README.md)."
    try:
        pinned = read_yaml(pointer)["outs"][0]
        pinned = {name: pinned[name] for name in listed}
    except (KeyError, IndexError, TypeError) as error:
        raise UserError(
            f"{pointer} is no pointer of DVC's to a folder ({error!r}).", way_out
        ) from None
    if pinned != listed:
        raise UserError(
            f"{pointer} and the manifest beside it pin different files: DVC has {pinned}, the "
            f"manifest's files give {listed}.",
            way_out,
        )


def _md5(path: Path) -> str:
    """What DVC knows a file by."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def content_hash(manifest: Manifest) -> str:
    """Identity of a dataset: one hash over the names and hashes of its files, in any order."""
    return sha256_json(sorted((file.path, file.sha256) for file in manifest.files))


if __name__ == "__main__":
    dataset = Path(sys.argv[1])
    destination = dataset.with_name(f"{dataset.name}.manifest.json")
    try:
        listed = make_manifest(dataset, destination)
    except UserError as error:
        sys.exit(str(error))
    print(f"{destination}: {len(listed.files)} files, content {content_hash(listed)}")
