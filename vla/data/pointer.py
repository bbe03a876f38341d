"""What pins a dataset: DVC's pointer and the manifest beside it, which must say the same.

DVC knows a file by its MD5, and a folder by the MD5 of a JSON list of its files' MD5 in the order of
their names, with `.dir` behind it.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla.config.datasets import DatasetEntry
from vla.data.dvc import stored_listing
from vla.data.manifest import is_one_file, read_manifest
from vla.data.places import manifest_file, pointer_file
from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.records.manifest import Manifest

LISTED_FILES = 5  # of those that differ, in a message


@dataclass(frozen=True)
class Pins:
    """What both pin. `pointer`: DVC's hash of the dataset."""

    manifest: Manifest
    pointer: str


def read_pins(entry: DatasetEntry, root: Path) -> Pins:
    """Read pointer and manifest; `UserError` when one is missing or they pin different files."""
    manifest = read_manifest(manifest_file(entry, root))
    return Pins(manifest, check_pointer(manifest, pointer_file(entry, root), root))


def check_pointer(manifest: Manifest, pointer: Path, root: Path) -> str:
    """DVC's hash of the dataset; `UserError` when the pointer pins other files than the manifest.

    `root`: the project, in whose DVC cache the files that differ are looked up.
    """
    dataset = pointer.with_suffix("")
    pinned = _read_pointer(pointer, root)
    expected = _outcome(manifest, dataset.name)
    differences = [
        f"{name}: {pinned.get(name)} in the pointer, {expected.get(name)} by the manifest"
        for name in sorted(expected.keys() | (pinned.keys() & {"nfiles"}))
        if pinned.get(name) != expected.get(name)
    ]
    if differences:
        differences += _differing_files(manifest, str(pinned["md5"]), dataset.name, root)
        raise UserError(
            f"{pointer} and the manifest beside it pin different files:\n  "
            + "\n  ".join(differences),
            f"Restore both from one commit: git checkout -- {_short(dataset, root)}.dvc "
            f"{_short(dataset, root)}.manifest.json; or, if the files there are the ones you want, "
            f"pin them: vla pin {_short(dataset, root)}",
        )
    return str(pinned["md5"])


def _read_pointer(pointer: Path, root: Path) -> dict[str, Any]:
    """The one output of a pointer of DVC 3's."""
    dataset = pointer.with_suffix("")
    anew = f"vla pin {_short(dataset, root)}"
    if not pointer.is_file():
        raise UserError(
            f"The dataset is not tracked by DVC: {pointer} is missing.",
            f"Restore it (git checkout -- {pointer}), or pin the files: {anew}",
        )
    content = read_yaml(pointer)
    try:
        (output,) = content["outs"]
        pinned = dict(output)
        place = os.path.normpath(
            pointer.parent / str(content.get("wdir", ".")) / str(pinned["path"])
        )
        if not isinstance(pinned["md5"], str):
            raise ValueError("md5 is no text")
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{pointer} is no pointer of DVC's to one folder or file, known by its MD5 ({error!r}).",
            f"Restore it (git checkout -- {pointer}), or pin the files: {anew}",
        ) from None
    if place != os.path.normpath(dataset):
        raise UserError(
            f"{pointer} points to {place}, not to {dataset}.",
            f"Restore it (git checkout -- {pointer}), or pin the files: {anew}",
        )
    if "hash" not in pinned:
        raise UserError(
            f"{pointer} is of DVC 2, whose hashes (md5-dos2unix) leave out some bytes of text files.",
            f"Bring the files here (dvc pull {_short(dataset, root)}.dvc), look whether they are the "
            f"right ones, and pin them by all their bytes: {anew}",
        )
    return pinned


def _outcome(manifest: Manifest, name: str) -> dict[str, Any]:
    """What DVC's pointer must say of the manifest's files, as a dataset called `name`."""
    files = sorted(manifest.files, key=lambda file: file.path)
    if is_one_file(manifest, name):
        return {"hash": "md5", "md5": files[0].md5, "size": files[0].bytes}
    listing = json.dumps([{"md5": file.md5, "relpath": file.path} for file in files])
    md5 = hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()
    size = sum(file.bytes for file in files)
    return {"hash": "md5", "md5": f"{md5}.dir", "nfiles": len(files), "size": size}


def _differing_files(manifest: Manifest, pinned: str, name: str, root: Path) -> list[str]:
    """Lines that name the files of which pointer and manifest have different hashes."""
    listed = {file.path: file.md5 for file in manifest.files}
    known = stored_listing(pinned, root) if pinned.endswith(".dir") else {name: pinned}
    if known is None:
        return [f"Which files: DVC's list {pinned} is not on this machine (dvc fetch brings it)."]
    paths = sorted(
        path for path in known.keys() | listed.keys() if known.get(path) != listed.get(path)
    )
    lines = [
        f"{path}: md5 {known.get(path, 'none')} in the pointer, {listed.get(path, 'none')} by the manifest"
        for path in paths[:LISTED_FILES]
    ]
    more = len(paths) - len(lines)
    return lines + ([f"and {more} more files"] if more else [])


def _short(path: Path, root: Path) -> str:
    """A path as one types it in the project's folder."""
    return os.path.relpath(path, root)
