"""Several hashes of a file from one reading of it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

BLOCK = 1 << 20  # bytes: still in the processor's cache when the second hash takes them


def file_digests(path: Path, algorithms: Sequence[str]) -> dict[str, str]:
    """Hash of a file by each of `algorithms`, names as in `hashlib`, in hex digits."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    block = memoryview(bytearray(BLOCK))
    with open(path, "rb", buffering=0) as stream:
        while count := stream.readinto(block):
            for each in hashes.values():
                each.update(block[:count])
    return {name: each.hexdigest() for name, each in hashes.items()}
