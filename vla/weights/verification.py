"""Which bytes pretrained weights had in this checkout when they were last hashed.

The same rules as for datasets (`vla/data/verification.py`): states of files tell whether they are
those that were hashed; records are numbered, never overwritten.
"""

from pathlib import Path

from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.files.states import check_changed, file_states
from vla.records.weights import WeightsRecord
from vla.weights.pinned import PinnedWeights
from vla.weights.places import state_folder

REHASH_LIMIT = 2**30  # bytes: about a second of hashing while the workflow is parsed


def current_record(weights: PinnedWeights) -> Path:
    """Path of the verification record that the present files need.

    An existing path when the files are those that were verified, else the next free number. Where
    states alone changed, as by `touch`, the bytes decide; more than REHASH_LIMIT are left to a job.
    """
    folder, stem = state_folder(weights.name, weights.root), weights.content[:12]
    records = sorted(folder.glob(f"{stem}-*.weights.json"), key=_number)
    present = file_states(weights.files, weights.folder)
    for path in reversed(records):
        if WeightsRecord.read(path).files == present:
            return path
    sizes = [state.bytes for state in present.values() if state]
    if records and len(sizes) == len(present) and sum(sizes) <= REHASH_LIMIT:
        found = (sha256_file(weights.folder / file.path) == file.sha256 for file in weights.files)
        if all(found):
            return records[-1]
    return folder / f"{stem}-{_number(records[-1]) + 1 if records else 1}.weights.json"


def verify(weights: PinnedWeights, record: Path, threads: int = 1) -> None:
    """Hash every file against its pin, and write the record; `UserError` on any difference."""
    states, problems = check_changed(weights.files, weights.folder, {}, threads)
    pinned = {file.path for file in weights.files}
    problems += [
        f"{path} is not pinned"
        for path in sorted(weights.folder.rglob("*"))
        if path.is_file() and path.relative_to(weights.folder).as_posix() not in pinned
    ]
    if problems:
        raise UserError(
            f"The weights {weights.name} are not what config/weights.yaml pins:\n  "
            + "\n  ".join(problems),
            f"Set {weights.folder} aside and run snakemake again, which brings the pinned ones; or pin "
            f"these: vla pin weights/{weights.name}",
        )
    WeightsRecord(
        name=weights.name,
        source=weights.source,
        licence=weights.entry.licence,
        content=weights.content,
        files=states,
    ).write(record)


def require_verified(weights: PinnedWeights) -> None:
    """Pass when the files are the verified ones; called before anything reads them."""
    if not current_record(weights).is_file():
        raise UserError(
            f"The files in {weights.folder} are not those that were verified.",
            "Run snakemake again: it verifies them first.",
        )


def _number(record: Path) -> int:
    return int(record.name.split("-")[1].split(".")[0])
