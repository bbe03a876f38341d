"""What DVC keeps on this machine: its cache, and its default remote when that is a folder."""

import configparser
import hashlib
import json
from pathlib import Path


def stored_object(md5: str, root: Path) -> Path | None:
    """The file that DVC knows by this hash, in its cache or its default remote on this machine."""
    places = [_cache(root)]
    address = remote(root)
    if address and "://" not in address:
        places.append(root / ".dvc" / address)
    found = [_object(place, md5) for place in places]
    return next((path for path in found if path.is_file()), None)


def is_cached(md5: str, root: Path) -> bool:
    return _object(_cache(root), md5).is_file()


def stored_listing(listing: str, root: Path) -> dict[str, str] | None:
    """MD5 of each file of a folder, by its path, which DVC knows by the hash `listing` (`….dir`).

    None when no undamaged list is on this machine.
    """
    path = stored_object(listing, root)
    content = path.read_bytes() if path else b""
    if f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}.dir" != listing:
        return None
    return {file["relpath"]: file["md5"] for file in json.loads(content)}


def remote(root: Path) -> str:
    """Address of the default remote; empty without one."""
    config = _config(root)
    name = config.get("core", "remote", fallback="")
    return config.get(f"'remote \"{name}\"'", "url", fallback="")


def _object(place: Path, md5: str) -> Path:
    return place / "files/md5" / md5[:2] / md5[2:]


def _cache(root: Path) -> Path:
    return root / ".dvc" / _config(root).get("cache", "dir", fallback="cache")


def _config(root: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read([root / ".dvc/config", root / ".dvc/config.local"])
    return config
