"""Prepared stores are opened after their bytes were checked: once a checkout, then when they changed.

The record of that lies in the store's folder (`verified.json`). It holds the state of every file
(`vla/files/states.py`), so that a second training run hashes nothing, and a flipped byte is found.
"""

from pathlib import Path

from vla.data.store import PreparedStore, map_store, store_files
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.files.sealed import read_sealed, write_sealed
from vla.files.states import check_changed


def open_store(folder: Path, pinned: str | None = None, threads: int = 1) -> PreparedStore:
    """Map a prepared store into memory; `UserError` when a byte has changed since it was prepared.

    `pinned`: the content that it must have. Hashes what changed since the store was last verified
    here, with so many `threads`; reads no data otherwise.
    """
    record_file, verified = folder / "prepared.json", folder / "verified.json"
    record = read_sealed(record_file)
    if pinned not in (None, record["content"]):
        raise UserError(
            f"The store in {folder} is not the pinned one: its content is {record['content']}, "
            f"{pinned} is pinned.",
            f"Remove {folder} and run snakemake again: it prepares the data once more.",
        )
    this = sha256_file(record_file)
    known = read_sealed(verified) if verified.is_file() else {"prepared": None, "files": {}}
    same = known["prepared"] == this
    states, problems = check_changed(
        store_files(record), folder, known["files"] if same else {}, threads
    )
    if problems:
        raise UserError(
            f"The prepared store {folder.name} is damaged:\n  " + "\n  ".join(problems),
            f"Remove {folder} and run snakemake again: it prepares the data once more.",
        )
    if not same or states != known["files"]:
        write_sealed(verified, {"schema": 1, "prepared": this, "files": states})
    return map_store(folder)
