"""What a pinned dataset tells before its files are here: whether they can come, how large they are."""

import configparser
import json
from pathlib import Path
from typing import Any

from vla.config.datasets import DatasetEntry
from vla.files.hashing import sha256_bytes
from vla.records.manifest import Manifest, PinnedFile


def missing_files(entry: DatasetEntry, manifest: Manifest, root: Path) -> list[PinnedFile]:
    """Entries of the manifest whose files are not in the dataset's folder."""
    folder = entry.folder(root)
    return [file for file in manifest.files if not (folder / file.path).is_file()]


def can_be_pulled(files: list[PinnedFile], root: Path) -> bool:
    """Whether DVC's cache or default remote has every file; a remote elsewhere is believed to."""
    remote = _remote(root)
    if "://" in remote:
        return True
    return all(_stored(file, root) for file in files)


def fetched_bytes(files: list[PinnedFile], root: Path) -> int:
    """What bringing `files` here writes: a copy in the folder, and one in DVC's cache unless it is there."""
    cache = _cache(root)
    return sum(file.bytes * (1 if _object(cache, file).is_file() else 2) for file in files)


def dataset_info(entry: DatasetEntry, manifest: Manifest, root: Path) -> dict[str, Any]:
    """`meta/info.json` of a LeRobotDataset, from its folder or from DVC's storage on this machine.

    Empty when neither has it as it was pinned.
    """
    for file in manifest.files:
        if file.path == "meta/info.json":
            path = entry.folder(root) / file.path
            path = path if path.is_file() else _stored(file, root)
            content = path.read_bytes() if path else b""
            if sha256_bytes(content) == file.sha256:
                return json.loads(content)
    return {}


def _stored(file: PinnedFile, root: Path) -> Path | None:
    """The file in DVC's cache, or in its default remote if that is a folder."""
    places = [_cache(root)]
    remote = _remote(root)
    if remote and "://" not in remote:
        places.append(root / ".dvc" / remote)
    found = [_object(place, file) for place in places]
    return next((path for path in found if path.is_file()), None)


def _object(place: Path, file: PinnedFile) -> Path:
    return place / "files/md5" / file.md5[:2] / file.md5[2:]


def _cache(root: Path) -> Path:
    return root / ".dvc" / _config(root).get("cache", "dir", fallback="cache")


def _remote(root: Path) -> str:
    """Address of the default remote; empty without one."""
    config = _config(root)
    name = config.get("core", "remote", fallback="")
    return config.get(f"'remote \"{name}\"'", "url", fallback="")


def _config(root: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read([root / ".dvc/config", root / ".dvc/config.local"])
    return config
