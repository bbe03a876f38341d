"""Prepared stores are opened after their bytes were checked: once a checkout, then when they changed.

The record of that lies in the store's folder (`verified.json`). It holds the state of every file
(`vla/files/states.py`), so that a second training run hashes nothing, and a flipped byte is found.
"""

from pathlib import Path

from vla.data.store import PreparedStore, map_store
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.files.states import check_changed
from vla.records.prepared import PreparedRecord
from vla.records.verification import StoreVerification


def open_store(folder: Path, pinned: str | None = None, threads: int = 1) -> PreparedStore:
    """Map a prepared store into memory; `UserError` when a byte has changed since it was prepared.

    `pinned`: the content that it must have. Hashes what changed since the store was last verified
    here, with so many `threads`; reads no data otherwise.
    """
    record_file, verified = folder / "prepared.json", folder / "verified.json"
    record = PreparedRecord.read(record_file)
    if pinned not in (None, record.content):
        raise UserError(
            f"The store in {folder} is not the pinned one: its content is {record.content}, "
            f"{pinned} is pinned.",
            f"Remove {folder} and run snakemake again: it prepares the data once more.",
        )
    this = sha256_file(record_file)
    known = StoreVerification.read(verified) if verified.is_file() else None
    states = known.files if known and known.prepared == this else {}
    present, problems = check_changed(record.all_files(), folder, states, threads)
    if problems:
        raise UserError(
            f"The prepared store {folder.name} is damaged:\n  " + "\n  ".join(problems),
            f"Remove {folder} and run snakemake again: it prepares the data once more.",
        )
    if present != states:
        StoreVerification(prepared=this, files=present).write(verified)
    return map_store(folder, record)
