"""What a pinned dataset tells before its files are here: whether they can come, how large they are."""

import configparser
from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.data.formats.protocol import Shape
from vla.data.manifest import read_manifest
from vla.data.places import dataset_folder, manifest_file
from vla.data.readers import shape_module
from vla.files.hashing import sha256_bytes
from vla.records.manifest import Manifest, PinnedFile


def missing_files(entry: DatasetEntry, manifest: Manifest, root: Path) -> list[PinnedFile]:
    """Entries of the manifest whose files are not in the dataset's folder."""
    folder = dataset_folder(entry, root)
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


def stated_shape(entry: DatasetEntry, camera: str, root: Path) -> Shape | None:
    """Sizes by the small files that describe a dataset, which may not have been fetched yet.

    They are read in its folder or in DVC's storage on this machine; None when neither has them as
    they were pinned, or when they do not tell.
    """
    shape = shape_module(entry)
    if shape is None:
        return None
    files = {file.path: file for file in read_manifest(manifest_file(entry, root)).files}
    info: dict[str, bytes] = {}
    for name in shape.FILES:
        if name not in files:
            return None
        path = dataset_folder(entry, root) / name
        path = path if path.is_file() else _stored(files[name], root)
        content = path.read_bytes() if path else b""
        if sha256_bytes(content) != files[name].sha256:
            return None
        info[name] = content
    return shape.stated_shape(info, camera)


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
