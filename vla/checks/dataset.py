"""What a pinned dataset tells before its files are here: whether they can come, how large they are."""

from pathlib import Path

from vla.config.datasets import DatasetEntry
from vla.data.dvc import is_cached, remote, stored_object
from vla.data.formats.protocol import Shape
from vla.data.manifest import files_folder, read_manifest
from vla.data.places import manifest_file
from vla.data.readers import shape_module
from vla.files.hashing import sha256_bytes
from vla.records.manifest import Manifest, PinnedFile


def missing_files(entry: DatasetEntry, manifest: Manifest, root: Path) -> list[PinnedFile]:
    """Entries of the manifest whose files are not in the dataset's folder."""
    folder = files_folder(entry, manifest, root)
    return [file for file in manifest.files if not (folder / file.path).is_file()]


def can_be_pulled(entry: DatasetEntry, files: list[PinnedFile], root: Path) -> bool:
    """Whether DVC's cache or the dataset's remote has every file; a remote elsewhere is believed to."""
    if "://" in remote(root, entry.remote).address:
        return True
    return all(stored_object(file.md5, root) for file in files)


def fetched_bytes(files: list[PinnedFile], root: Path) -> int:
    """What bringing `files` here writes: a copy in the folder, and one in DVC's cache unless it is there."""
    return sum(file.bytes * (1 if is_cached(file.md5, root) else 2) for file in files)


def stated_shape(entry: DatasetEntry, camera: str, root: Path) -> Shape | None:
    """Sizes by the small files that describe a dataset, which may not have been fetched yet.

    They are read in its folder or in DVC's storage on this machine; None when neither has them as
    they were pinned, or when they do not tell.
    """
    shape = shape_module(entry)
    if shape is None:
        return None
    manifest = read_manifest(manifest_file(entry, root))
    folder = files_folder(entry, manifest, root)
    files = {file.path: file for file in manifest.files}
    info: dict[str, bytes] = {}
    for name in shape.FILES:
        if name not in files:
            return None
        path = folder / name
        path = path if path.is_file() else stored_object(files[name].md5, root)
        content = path.read_bytes() if path else b""
        if sha256_bytes(content) != files[name].sha256:
            return None
        info[name] = content
    return shape.stated_shape(info, camera)
