"""Packages for double-blind review: the same results, and nothing that tells who made them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from vla.errors import UserError
from vla.package.anonymising import Anonymiser
from vla.package.identities import Identity, of_project, of_record
from vla.package.project import OUTPUTS, SOURCE
from vla.package.searching import require_anonymous
from vla.package.standing_in import StandIns
from vla.package.writing import Files, PackedFile, packed_record
from vla.records.package import Author, PackageRecord

RECORD = "anonymous.json"
NOBODY = Author(name="Anonymous", person=False)
# Of CITATION.cff: what says of the software what it is, and of nobody that they wrote it.
KEPT = ("cff-version", "message", "title", "type", "version", "license", "keywords", "abstract")
SETTINGS = ("profiles/", "config/", "experiments/", ".dvc/config")
LARGEST_RECORD = 50_000_000  # bytes


@dataclass(frozen=True)
class Wish:
    """`hide`: further words that tell who made it; `keep`: words that tell nobody anything."""

    hide: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


class Veil:
    """Stands between a package and who made it."""

    def __init__(
        self, root: Path, files: Files, citation: Mapping[str, Any], wish: Wish, work: Path
    ):
        """`files`: all that is to be packed; `work`: an empty folder."""
        identities = of_project(root, citation, _settings(files)) | _of_records(files)
        identities |= {Identity("further word", word) for word in wish.hide}
        kept = {word.casefold() for word in wish.keep}
        identities = {i for i in identities if i.value and i.value.casefold() not in kept}
        self._stand_ins = StandIns(i for i in identities if i.is_telling)
        _require_other_names(files, self._stand_ins)
        self._anonymiser = Anonymiser(self._stand_ins, work)
        self.citation = {name: citation[name] for name in KEPT if name in citation}
        self.citation["authors"] = [{"name": NOBODY.name}]
        self.not_searched = tuple(sorted({i.value for i in identities if not i.is_telling}))
        self.left_out: tuple[str, ...] = ()

    def files(self, files: Files) -> dict[str, PackedFile]:
        """Source, outputs and data without their makers."""
        report = f"{OUTPUTS}/reports/"
        if any(name.startswith(report) for name in files):
            self.left_out = ("the report over all experiments",)
        kept = {name: file for name, file in files.items() if not name.startswith(report)}
        citation = yaml.safe_dump(self.citation, sort_keys=False, allow_unicode=True).encode()
        return self._anonymiser.apply(kept, {f"{SOURCE}/CITATION.cff": citation})

    def texts(self, files: Files) -> dict[str, PackedFile]:
        """What the package says of itself, without its makers."""
        return self._anonymiser.apply(files)

    def package_record(self, record: PackageRecord) -> PackageRecord:
        """Without authors; its time in UTC, since a time zone tells where they work."""
        committed = datetime.fromisoformat(record.committed).astimezone(UTC)
        changed = {"authors": (NOBODY,), "repository": "", "committed": committed.isoformat()}
        for name in ("commit", "title"):
            changed[name] = self._stand_ins.replace(getattr(record, name).encode())[0].decode()
        return record.model_copy(update=changed)

    def described(self, files: Files) -> PackedFile:
        """`anonymous.json`. `files`: all others, but for those that describe and list all."""
        return packed_record(self._anonymiser.record(self.left_out, len(files) + 2))

    def require(self, files: Files) -> None:
        """`UserError` naming files in which something is left."""
        require_anonymous(files, self._stand_ins)


def _settings(files: Files) -> list[str]:
    """Texts that may name a group's accounts and servers."""
    places = tuple(f"{SOURCE}/{place}" for place in SETTINGS)
    return [
        b"".join(file.blocks()).decode()
        for name, file in files.items()
        if name.startswith(places) and name.endswith((".yaml", "config")) and file.is_text
    ]


def _of_records(files: Files) -> set[Identity]:
    found: set[Identity] = set()
    for name, file in files.items():
        if name.endswith((".json", ".jsonl")) and file.is_text and file.size < LARGEST_RECORD:
            content = b"".join(file.blocks())
            for line in content.splitlines() if name.endswith(".jsonl") else [content]:
                try:
                    found |= set(of_record(json.loads(line)))
                except ValueError:  # as of a line that a killed process has cut
                    continue
    return found


def _require_other_names(files: Files, stand_ins: StandIns) -> None:
    """Files keep their names, which records and keys hold."""
    telling = [name for name in files if stand_ins.find(name.encode())]
    if telling:
        raise UserError(
            "\n  ".join(["Names of files would tell who made the package:", *telling[:5]]),
            "Name the experiment or file otherwise and run again; or --keep a word that tells nobody anything.",
        )
