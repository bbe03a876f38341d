"""What DVC keeps on this machine (its cache, its default remote when that is a folder), and its remotes."""

import configparser
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vla.process.address import public_address

# Options and variables whose value is a credential: `secret_access_key`, `AWS_SESSION_TOKEN`, ...
SECRET = re.compile(
    r"secret|passw|token|access_key|account_key|connection_string|credential(?!path)", re.IGNORECASE
)
ADDRESS = re.compile(r"[\w+.-]+://([^/@]*:[^/@]*)@")  # with a user and a password
SHORTEST = 8  # characters of a value that is looked for; shorter ones stand anywhere


def stored_object(md5: str, root: Path) -> Path | None:
    """The file that DVC knows by this hash, in its cache or its default remote on this machine."""
    places = [_cache(root)]
    address = remote(root).address
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


@dataclass(frozen=True)
class Remote:
    """A DVC remote. `address`: empty where it is not configured."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name or 'default'} ({public_address(self.address) or 'not configured'})"


def remote(root: Path, name: str = "") -> Remote:
    """The remote of that name, or the default one."""
    config = _config(root)
    name = name or config.get("core", "remote", fallback="")
    return Remote(name, config.get(f"'remote \"{name}\"'", "url", fallback=""))


def secrets(root: Path) -> set[str]:
    """Credentials in DVC's configuration and in the variables that S3 clients read."""
    found = set()
    for name, value in [*_options(_config(root)), *os.environ.items()]:
        secret = value if SECRET.search(name) else _user_in(value)
        if len(secret) >= SHORTEST:
            found.add(secret)
    return found


def committed_secrets(root: Path) -> list[str]:
    """Names of options in .dvc/config, which git, records and packages hold, that are credentials."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(root / ".dvc/config")
    return sorted({n for n, value in _options(config) if SECRET.search(n) or _user_in(value)})


def _options(config: configparser.ConfigParser) -> list[tuple[str, str]]:
    return [option for section in config.sections() for option in config.items(section)]


def _user_in(address: str) -> str:
    """User and password of an address; empty where there are none."""
    found = ADDRESS.match(address)
    return found[1] if found else ""


def _object(place: Path, md5: str) -> Path:
    return place / "files/md5" / md5[:2] / md5[2:]


def _cache(root: Path) -> Path:
    return root / ".dvc" / _config(root).get("cache", "dir", fallback="cache")


def _config(root: Path) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read([_user_folder() / "config", root / ".dvc/config", root / ".dvc/config.local"])
    return config


def _user_folder() -> Path:
    """Where `dvc config --global` writes."""
    own = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(os.environ.get("DVC_GLOBAL_CONFIG_DIR") or Path(own, "dvc"))
