"""Keys: a run is addressed by the hash of everything that decides its bits."""

from typing import Any

from vla.files.hashing import sha256_json

KEY_LENGTH = 12  # hex digits in file names


def key_of(identity: dict[str, Any]) -> str:
    """The first 12 hex digits of the SHA-256 of `identity` as canonical JSON."""
    return sha256_json(identity)[:KEY_LENGTH]
