"""Manifests: hashes and size of every file of a dataset, kept in git beside DVC's pointer."""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files.atomic import write_json
from vla.files.described import describe_file
from vla.files.hashing import sha256_json
from vla.files.sealed import read_json
from vla.files.yaml import read_yaml

SCHEMA = 2
SAFE_PATH = re.compile(r"(?!.*(^|/)\.\.?(/|$))[\w.@=+-][\w.@=+/-]*", re.ASCII)


def make_manifest(folder: Path, destination: Path) -> dict[str, Any]:
    """List every file below `folder` in `destination`; returns the manifest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise UserError(f"{folder} holds no files.", "Put the dataset there first.")
    described = [describe_file(path, folder) | {"md5": _md5(path)} for path in files]
    manifest = {"schema": SCHEMA, "files": described}
    write_json(destination, manifest)
    return manifest


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest; paths that would leave the dataset's folder are a `UserError`."""
    if not path.is_file():
        raise UserError(
            f"The dataset is not pinned here: {path} is missing.",
            f"Put the data below {path.name.removesuffix('.manifest.json')}/ and pin it: "
            "see data/README.md, 'Add a dataset'.",
        )
    manifest = read_json(path)
    try:
        for file in manifest["files"]:
            if not SAFE_PATH.fullmatch(file["path"]):
                raise UserError(f"{path} names the unsafe path {file['path']!r}.", "Do not use it.")
            int(file["bytes"]), str(file["sha256"]), str(file["md5"])
        if manifest["schema"] != SCHEMA:
            raise ValueError(f"schema {manifest['schema']}")
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is not a manifest of this version ({error!r}).",
            f"Restore it (git checkout -- {path}), or list the files anew (data/README.md).",
        ) from None
    return manifest


def check_pointer(manifest: dict[str, Any], pointer: Path) -> None:
    """Stop when DVC's pointer pins other files than the manifest does.

    DVC's hash of a folder is the MD5 of a JSON list of its files' MD5, in the order of their names.
    """
    if not pointer.is_file():
        raise UserError(
            f"The dataset is not tracked by DVC: {pointer} is missing.",
            f"Restore it (git checkout -- {pointer}), or: dvc add {pointer.with_suffix('')}",
        )
    files = sorted(manifest["files"], key=lambda file: file["path"])
    listing = [{"md5": file["md5"], "relpath": file["path"]} for file in files]
    expected = hashlib.md5(json.dumps(listing).encode(), usedforsecurity=False).hexdigest()
    listed = {
        "md5": f"{expected}.dir",
        "size": sum(file["bytes"] for file in files),
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


def content_hash(manifest: dict[str, Any]) -> str:
    """Identity of a dataset: one hash over the names and hashes of its files, in any order."""
    return sha256_json(sorted((file["path"], file["sha256"]) for file in manifest["files"]))


if __name__ == "__main__":
    dataset = Path(sys.argv[1])
    destination = dataset.with_name(f"{dataset.name}.manifest.json")
    try:
        listed = make_manifest(dataset, destination)
    except UserError as error:
        sys.exit(str(error))
    print(f"{destination}: {len(listed['files'])} files, content {content_hash(listed)}")
