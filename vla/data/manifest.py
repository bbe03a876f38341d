"""Manifests: SHA-256 and size of every file of a dataset, kept in git beside DVC's pointer."""

import re
import sys
from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files import describe_file, read_json, sha256_json, write_json

SAFE_PATH = re.compile(r"(?!.*(^|/)\.\.?(/|$))[\w.@=+-][\w.@=+/-]*", re.ASCII)


def make_manifest(folder: Path, destination: Path) -> dict[str, Any]:
    """List every file below `folder` in `destination`; returns the manifest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {"schema": 1, "files": [describe_file(path, folder) for path in files]}
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
            int(file["bytes"]), str(file["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is not a manifest ({error!r}).", "Restore it: git checkout -- " + str(path)
        ) from None
    return manifest


def content_hash(manifest: dict[str, Any]) -> str:
    """Identity of a dataset: one hash over the names and hashes of its files, in any order."""
    return sha256_json(sorted((file["path"], file["sha256"]) for file in manifest["files"]))


if __name__ == "__main__":
    dataset = Path(sys.argv[1])
    destination = dataset.with_name(f"{dataset.name}.manifest.json")
    listed = make_manifest(dataset, destination)
    print(f"{destination}: {len(listed['files'])} files, content {content_hash(listed)}")
