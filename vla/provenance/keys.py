"""Keys: a run is addressed by the hash of everything that decides its bits."""

from typing import Any

from vla.files import sha256_json

KEY_LENGTH = 12  # hex digits in file names


def key_of(identity: dict[str, Any]) -> str:
    """The first 12 hex digits of the SHA-256 of `identity` as canonical JSON."""
    return sha256_json(identity)[:KEY_LENGTH]


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """What differs between two identities, one 'name: old -> new' each."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for name in sorted(old.keys() | new.keys()):
            inner = f"{where}.{name}" if where else name
            found += differences(old.get(name), new.get(name), inner)
        return found
    return [] if old == new else [f"{where}: {old} -> {new}"]
