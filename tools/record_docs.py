"""The text of docs/records.md and the JSON schemas of all records, from the models in vla/records/.

Written and checked by `python -m tools.config_docs`.
"""

import dataclasses
import json
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from vla.records.base import Record
from vla.records.kinds import LEDGERS, RECORDS

HEADER = """# Records

Generated from the models in `vla/records/` by `make config-docs`; a test fails when it is out of
date. JSON schemas: [config/schemas/records](../config/schemas/records).

Every job writes one JSON file last. It begins with `record`, its kind, and `schema`, the version of
that kind, and ends with `seal`, the SHA-256 of the whole text with the seal's digits as zeros: any
changed byte is found when it is read. Records of earlier versions are read as well. Files are named
with size and SHA-256; their paths are relative to the experiment's folder, or to the record's own
where there is none.
"""
FILE = "vla.files.described"


def document() -> str:
    """The text of docs/records.md."""
    sections = [HEADER]
    shown: dict[str, type] = {}
    for place, model in (RECORDS | LEDGERS).items():
        line = "" if issubclass(model, Record) else " One JSON line an entry."
        about = f"{_about(model)}{line}"
        sections.append(f"\n## `{place}`\n\n{about}\n\n{_table(model)}")
        _collect(model, shown)
    sections.append("\n## Parts\n")
    for name in sorted(shown):
        sections.append(f"\n### {name}\n\n{_about(shown[name])}\n\n{_table(shown[name])}")
    return "".join(sections)


def schemas() -> dict[str, str]:
    """File name -> JSON schema (draft 2020-12) of a record as it is written now."""
    return {
        f"{model.KIND.replace(' ', '-')}.schema.json": json.dumps(_schema(model), indent=2) + "\n"
        for model in RECORDS.values()
    }


def _schema(model: type[Record]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="serialization")
    header = {
        "record": {"const": model.KIND},
        "schema": {"const": model.VERSION, "description": "Version of this kind of record."},
    }
    seal = {"seal": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
    schema["properties"] = header | schema["properties"] | seal
    schema["required"] = list(schema["properties"])
    return schema


def _about(model: type) -> str:
    return " ".join((model.__doc__ or "").split())


def _fields(model: type) -> dict[str, tuple[Any, str]]:
    """Name -> annotation and meaning."""
    if issubclass(model, BaseModel):
        fields = model.model_fields.items()
        return {name: (field.annotation, field.description or "") for name, field in fields}
    if dataclasses.is_dataclass(model):
        return {field.name: (field.type, "") for field in dataclasses.fields(model)}
    return {name: (annotation, "") for name, annotation in model.__annotations__.items()}


def _table(model: type) -> str:
    rows = [
        f"| `{name}` | {_words(annotation)} | {' '.join(meaning.split())} |\n"
        for name, (annotation, meaning) in _fields(model).items()
    ]
    return "| Field | Values | Meaning |\n|---|---|---|\n" + "".join(rows)


def _words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join("null" if a is NoneType else _words(a) for a in arguments)
    if origin is tuple:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"{_words(arguments[0])} → {_words(arguments[1])}"
    if hasattr(annotation, "__metadata__"):
        return _words(annotation.__origin__)
    if _is_part(annotation):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    names = {"str": "text", "int": "integer", "float": "number", "bool": "true, false"}
    return names.get(getattr(annotation, "__name__", ""), "any value")


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and annotation.__module__.startswith(("vla.records", FILE))


def _collect(model: type, shown: dict[str, type]) -> None:
    """The parts that a model consists of, with theirs, by name."""
    pending = [annotation for annotation, _ in _fields(model).values()]
    while pending:
        annotation = pending.pop()
        if _is_part(annotation) and annotation.__name__ not in shown:
            shown[annotation.__name__] = annotation
            pending += [inner for inner, _ in _fields(annotation).values()]
        pending += get_args(annotation)
