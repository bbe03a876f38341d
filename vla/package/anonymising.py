"""Put stand-ins into the files of a package, so that hashes and seals hold for what is packed.

Files that name others by hash follow: a record of a log that was changed names the new hash, is sealed
anew, and whatever names that record follows in turn. Data and weights are never changed.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files.sealed import has_whole_seal, write_sealed
from vla.package.identities import STAND_INS, Identity
from vla.package.project import DATA, SOURCE
from vla.package.standing_in import StandIns
from vla.package.writing import Files, PackedFile
from vla.records.anonymity import AnonymityRecord, Replaced
from vla.source.git import may_decide
from vla.source.syntax import syntax_hash

SHORT_HASH = 12  # digits that a hash is shown by, at least
HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{%d,64}(?![0-9a-f])" % SHORT_HASH)
# Hosts whose names are too short to be looked for stand in these fields of records.
HOST = re.compile(rb'("(?:hostname|host)": ")(?!anonymous-host)[^"]+"')
RECORDS = (".json", ".jsonl")
LARGEST_RECORD = 50_000_000  # bytes
DEPTH = 30  # files that name each other by hash, in a row
NAMED_BY_CONTENT = re.compile(r"/files/md5/[0-9a-f]{2}/")  # of a DVC store
WAY_OUT = "Take it out there, commit, and run again; or --keep it where it tells nobody anything."


class Anonymiser:
    """Rewrites files into `folder`, and keeps count."""

    def __init__(self, stand_ins: StandIns, folder: Path):
        self._stand_ins, self._folder = stand_ins, folder
        self._held: dict[str, set[Identity]] = {}
        self._rewritten: set[str] = set()
        self._resealed: set[str] = set()

    def apply(
        self, files: Files, given: Mapping[str, bytes] | None = None
    ) -> dict[str, PackedFile]:
        """The files with stand-ins. `given`: what stands in for whole files.

        `UserError` where a result's key, or code that decides one, would change.
        """
        texts = {name: file for name, file in files.items() if _may_change(name, file)}
        changed = dict(files)
        for name, file in texts.items():
            if given and name in given:
                changed[name] = self._write(name, file, [given[name]])
            elif held := self._find(name, file):
                self._held[name] = held
                lines = (self._without(name, some) for some in file.lines())
                changed[name] = self._write(name, file, lines)
                _require_same_code(name, file, changed[name], held)
        return self._follow(files, texts, changed)

    def record(self, left_out: tuple[str, ...], searched: int) -> AnonymityRecord:
        """What was done, by kind."""
        values = Counter(identity.kind for identity in self._stand_ins.identities)
        held = Counter(k for found in self._held.values() for k in {i.kind for i in found})
        return AnonymityRecord(
            replaced=tuple(
                Replaced(kind=kind, values=count, stand_in=STAND_INS[kind], files=held[kind])
                for kind, count in sorted(values.items())
            ),
            rewritten=tuple(sorted(self._rewritten)),
            resealed=tuple(sorted(self._resealed)),
            left_out=left_out,
            searched=searched,
        )

    def _find(self, name: str, file: PackedFile) -> set[Identity]:
        found: set[Identity] = set()
        for lines in file.lines():
            found |= self._stand_ins.find(lines)
            if name.endswith(RECORDS) and HOST.search(lines):
                found.add(Identity("host name", ""))
        return found

    def _without(self, name: str, lines: bytes) -> bytes:
        lines, _ = self._stand_ins.replace(lines)
        return HOST.sub(rb'\1anonymous-host"', lines) if name.endswith(RECORDS) else lines

    def _follow(
        self, files: Files, texts: Files, changed: dict[str, PackedFile]
    ) -> dict[str, PackedFile]:
        """Bring new hashes to where the old ones stand, until none is old."""
        known = {file.sha256[:SHORT_HASH].encode() for file in files.values()}
        naming = {name for name in texts if _names_any(changed[name], known)}
        before = dict(changed)  # what each is made of, every time anew
        for _ in range(DEPTH):
            new = _new_hashes(files, changed)
            stale = [name for name in naming if _names_any(before[name], new.keys())]
            again = {
                name: self._write(name, files[name], _with_hashes(before[name], new), new)
                for name in stale
            }
            if all(file.sha256 == changed[name].sha256 for name, file in again.items()):
                return changed
            changed |= again
        raise UserError("Files of the package name each other by hash in a circle.", WAY_OUT)

    def _write(
        self,
        name: str,
        file: PackedFile,
        lines: Iterator[bytes] | list[bytes],
        new: Mapping[bytes, PackedFile] | None = None,
    ) -> PackedFile:
        """`file` in its new form. A sealed record is sealed again, with the sizes that its files now have."""
        number = len(self._rewritten)
        path = self._folder / f"{number}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as stream:
            stream.writelines(lines)
        if _is_sealed(name, file):
            _seal_again(path, file, name, new or {})
            self._resealed.add(name)
        self._rewritten.add(name)
        return PackedFile(path, file.executable)


def _may_change(name: str, file: PackedFile) -> bool:
    data = name.startswith(f"{DATA}/") or NAMED_BY_CONTENT.search(name)
    return not data and file.is_text


def _is_sealed(name: str, file: PackedFile) -> bool:
    if not name.endswith(".json") or file.size > LARGEST_RECORD:
        return False
    return has_whole_seal(b"".join(file.blocks()))


def _seal_again(path: Path, file: PackedFile, name: str, new: Mapping[bytes, PackedFile]) -> None:
    value, before = json.loads(path.read_bytes()), json.loads(b"".join(file.blocks()))
    if value.get("identity") != before.get("identity"):
        raise UserError(
            f"{name}: what decides its key tells who made it: {_difference(before, value)}.",
            WAY_OUT,
        )
    sizes = {packed.sha256: packed.size for packed in new.values()}
    value.pop("seal")
    write_sealed(path, _with_sizes(value, sizes))


def _difference(before: dict[str, Any], value: dict[str, Any]) -> str:
    old, now = before["identity"], value["identity"]
    return ", ".join(key for key in old if old[key] != now.get(key))


def _with_sizes(value: Any, sizes: Mapping[str, int]) -> Any:
    """The same, where described files (path, bytes, sha256) have the sizes that they now have."""
    if isinstance(value, list):
        return [_with_sizes(item, sizes) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _with_sizes(content, sizes) for key, content in value.items()}
    if {"bytes", "sha256"} <= value.keys() and value["sha256"] in sizes:
        value["bytes"] = sizes[value["sha256"]]
    return value


def _new_hashes(files: Files, changed: Files) -> dict[bytes, PackedFile]:
    """Beginning of the hash of each file that was changed -> its new form."""
    new: dict[bytes, PackedFile] = {}
    for name, file in files.items():
        if changed[name] is not file and changed[name].sha256 != file.sha256:
            other = new.setdefault(file.sha256[:SHORT_HASH].encode(), changed[name])
            if other.sha256 != changed[name].sha256:
                raise UserError(f"{name} has a copy that must change otherwise.", WAY_OUT)
    return new


def _names_any(file: PackedFile, beginnings: Any) -> bool:
    return any(
        found[:SHORT_HASH] in beginnings for lines in file.lines() for found in HASH.findall(lines)
    )


def _with_hashes(file: PackedFile, new: Mapping[bytes, PackedFile]) -> Iterator[bytes]:
    def replaced(match: re.Match[bytes]) -> bytes:
        found = new.get(match[0][:SHORT_HASH])
        return found.sha256[: len(match[0])].encode() if found else match[0]

    return (HASH.sub(replaced, lines) for lines in file.lines())


def _require_same_code(
    name: str, file: PackedFile, changed: PackedFile, held: set[Identity]
) -> None:
    """Code that decides results must stay what it was, but for comments and messages."""
    path = name.removeprefix(f"{SOURCE}/")
    if name == path or not path.endswith(".py") or not may_decide(path):
        return
    if syntax_hash(file.content) != syntax_hash(changed.content):
        what = ", ".join(sorted(f"the {i.kind} {i.value!r}" for i in held))
        raise UserError(f"{path} has {what} in its code, which keys of results cover.", WAY_OUT)
