"""What every record is: one JSON file, written last, sealed, of a known kind and version.

A record begins with `record` (its kind) and `schema` (its version) and ends with `seal`. Where a
definition changes so that records of before no longer fit, `VERSION` is raised and a function that
makes the new form of the old one is added to `UPGRADES`: all records stay readable.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ValidationError

from vla.errors import UserError, nearest
from vla.files.described import File, check_file
from vla.files.sealed import damaged, has_whole_seal, parse_json, read_bytes, write_sealed
from vla.records.part import Part

Content = dict[str, Any]
Upgrade = Callable[[Content], Content]


class Versioned(Part):
    """Values of which earlier versions can be read."""

    VERSION: ClassVar[int] = 1
    UPGRADES: ClassVar[tuple[Upgrade, ...]] = ()
    """The first makes version 2 of version 1, the next version 3 of version 2, and so on."""
    WAY_OUT: ClassVar[str] = "Set it aside and run snakemake again."
    """What to do about one that cannot be read."""

    @classmethod
    def of_version(cls, version: Any, content: Content, source: str) -> Self:
        """`content` as a value of today; `UserError` naming `source` and field when it is none."""
        if not isinstance(version, int) or version < 1:
            raise UserError(f"{source} is no record: it states no version.", cls.WAY_OUT)
        if version > cls.VERSION:
            raise UserError(
                f"{source} has schema {version}; this code knows it up to {cls.VERSION}.",
                "Read it with the version of the project that wrote it, or a newer one.",
            )
        try:
            for upgrade in cls.UPGRADES[version - 1 :]:
                content = upgrade(content)
            return cls.model_validate(content)
        except ValidationError as error:
            mistakes = [_explain(cls, detail) for detail in error.errors()]
        except (KeyError, TypeError, AttributeError, StopIteration, ValueError) as error:
            mistakes = [f"cannot be read as schema {version}: {error!r}"]
        raise UserError(
            "\n  ".join([f"{source} does not hold what it should:", *mistakes]), cls.WAY_OUT
        )


class Record(Versioned):
    """One JSON file about something that was made. Paths in it are relative to a folder above it."""

    KIND: ClassVar[str]
    LEVELS: ClassVar[int] = 0
    """How far above the record's own folder that folder lies: experiments/E/ is two levels above
    experiments/E/results/RUN/."""
    SEALED_SINCE: ClassVar[int] = 1
    """The first version that was sealed."""

    def write(self, path: Path) -> None:
        """Write the record in one piece, sealed."""
        header = {"record": self.KIND, "schema": self.VERSION}
        write_sealed(path, header | self.model_dump(mode="json"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record of any version; `UserError` when it is missing, damaged, or another kind's."""
        content = read_bytes(path)
        sealed = has_whole_seal(content)
        if not sealed and cls.SEALED_SINCE == 1:
            raise damaged(path, cls.WAY_OUT)
        values = parse_json(path, content)
        if not isinstance(values, dict):
            raise UserError(f"{path} is no record.", cls.WAY_OUT)
        version = values.pop("schema", None)
        unsealed_once = isinstance(version, int) and version < cls.SEALED_SINCE
        if not sealed and ("seal" in values or not unsealed_once):
            raise damaged(path, cls.WAY_OUT)
        values.pop("seal", None)
        kind = values.pop("record", cls.KIND)  # earlier versions do not state it
        if kind != cls.KIND:
            raise UserError(f"{path} is a record of {kind}, not of {cls.KIND}.", "Name another.")
        return cls.of_version(version, values, str(path))

    @classmethod
    def folder_of(cls, path: Path) -> Path:
        """The folder that paths in the record at `path` are relative to."""
        return path.parents[: cls.LEVELS + 1][-1]  # one that was sent may lie right under the root

    def all_files(self) -> tuple[File, ...]:
        """Every file that the record names, in the order of its fields."""
        return tuple(_files(self))

    def check_files(self, folder: Path) -> list[Path]:
        """Paths of all files, each checked; `UserError` when one is missing or has other bytes."""
        return [check_file(file, folder) for file in self.all_files()]


def _files(value: Any) -> Iterator[File]:
    if isinstance(value, File):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _files(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _files(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _files(item)


def _explain(model: type[BaseModel], detail: Any) -> str:
    location = [str(part) for part in detail["loc"]]
    where = ".".join(location)
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = list(model.model_fields) if len(location) == 1 else []
        return f"{where}: unknown field" + (f"; {nearest(where, known)}" if known else "")
    if detail["type"] == "missing":
        return f"{where}: missing"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {message[0].lower() + message[1:]}"


def same_fields(content: Content) -> Content:
    """For a version that had the same fields and lacked only the header of today."""
    return content


def named_files(content: Content, names: dict[str, str]) -> Content:
    """What version 1 listed as `files`, by field: the file whose path ends as `names` says.

    For upgrades. A field of which no file was listed is left out.
    """
    found = {}
    for field, ending in names.items():
        for file in content["files"]:
            if file["path"].endswith(ending):
                found[field] = file
    return found
