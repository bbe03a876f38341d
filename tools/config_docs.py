"""Generate config/README.md, docs/records.md and config/schemas/ from the models.

`python -m tools.config_docs` writes them; with `--check` it fails when they are out of date.
"""

import argparse
import inspect
import json
import re
import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tools import record_docs
from vla.config.complete import ExperimentConfig
from vla.config.datasets import DatasetEntry
from vla.config.demonstrations import DemonstrationsConfig
from vla.config.evaluation import DEFAULT_SIMULATOR
from vla.config.imported import ImportedModel
from vla.config.weights import WeightsEntry
from vla.config.workflow import WorkflowConfig
from vla.files.atomic import write_text
from vla.plan.reading import sections_in
from vla.plugins import find_plugin, plugins

SIMULATOR = find_plugin("simulators", DEFAULT_SIMULATOR).load("config").Config
# The library's policy families; `model.type` says which one a section belongs to.
MODELS = Annotated[
    Union[  # noqa: UP007
        tuple(
            family.load("config").Config
            for family in plugins("policies").values()
            if family.package.startswith("vla.")
        )
    ],
    Field(discriminator="type"),
]
IMPORTED = [
    family.load("config").Config.model_fields["type"].default
    for family in plugins("policies").values()
    if family.package.startswith("vla.") and issubclass(family.load("config").Config, ImportedModel)
]
FILES: dict[str, tuple[str, type[BaseModel]]] = {
    "experiment": ("experiments/*/config.yaml", ExperimentConfig[MODELS, SIMULATOR]),
    "workflow": ("config/config.yaml", WorkflowConfig),
    "dataset": ("config/datasets.yaml, each entry", DatasetEntry),
    "weights": ("config/weights.yaml, each entry", WeightsEntry),
    "demonstrations": ("config/demonstrations.yaml", DemonstrationsConfig[SIMULATOR]),
}
HEADER = """# Configuration

Generated from the models in `vla/config/` by `make config-docs`; a test fails when it is out of
date. Unknown keys are refused, with the nearest valid name. Units stand in names or descriptions.
Editors that read JSON schemas find them in `config/schemas/`.

The smallest experiment that parses:

```yaml
experiment: {name: "rt2_baseline_v1", seed: 42}
model: {type: "RT2", vision_encoder: "ViT-B/16"}
training: {batch_size: 256, learning_rate: 3.0e-4, num_steps: 100000, optimizer: "AdamW"}
data: {dataset: "CALVIN", augmentation: true}
```

Where others trained the policy (`model.type: lerobot-act` or `openvla`), neither `training` nor `data` is given: docs/published_policies.md.
"""


def document() -> str:
    """The text of config/README.md."""
    parts = [HEADER]
    for place, model in FILES.values():
        parts.append(f"\n## `{place}`\n\n{inspect.getdoc(model)}\n")
        parts += _tables(model, prefix="")
    return "".join(parts)


def schemas() -> dict[str, str]:
    """File name -> JSON schema (draft 2020-12)."""
    return {
        f"{name}.schema.json": json.dumps(_schema(model), indent=2) + "\n"
        for name, (_, model) in FILES.items()
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    if issubclass(model, ExperimentConfig):
        # A policy that is imported has neither; schemas of alternatives would be twice as long.
        lacking = ("training", "data")
        schema["required"] = [name for name in schema["required"] if name not in lacking]
        imported = {"type": {"enum": IMPORTED}}
        schema["if"] = {"properties": {"model": {"properties": imported, "required": ["type"]}}}
        schema["else"] = {"required": list(lacking)}
    return schema


def _tables(model: type[BaseModel], prefix: str) -> list[str]:
    own = {n: f for n, f in model.model_fields.items() if not sections_in(f.annotation)}
    parts = []
    if own:
        rows = "".join(_row(prefix + name, field) for name, field in own.items())
        parts.append(f"\n| Key | Values | Default | Meaning |\n|---|---|---|---|\n{rows}")
    for name, field in model.model_fields.items():
        sections, suffix = _sections(field), _suffix(field.annotation)
        for section, alternative in sections:
            heading = f"{prefix}{name}{suffix}"
            of = f" {alternative}" if len(sections) > 1 else ""
            parts.append(f"\n### `{heading}`{of}\n\n{inspect.getdoc(section)}\n")
            # What alternatives have in common is shown once.
            parts += [part for part in _tables(section, f"{heading}.") if part not in parts]
    return parts


def _sections(field: FieldInfo) -> list[tuple[type[BaseModel], str]]:
    """The model behind a field, or each alternative with what tells it from the others; [] behind a
    plain value."""
    found = sections_in(field.annotation)
    return [(model, _alternative(tag, model)) for tag, model in found]


def _alternative(tag: str, model: type[BaseModel]) -> str:
    kind = model.model_fields.get("type")
    return f"of type {kind.default}" if kind else f"({tag})"


def _suffix(annotation: Any) -> str:
    """How the place of what a field contains is written in YAML."""
    return {dict: ".<name>", tuple: "[]"}.get(get_origin(annotation), "")


def _row(name: str, field: FieldInfo) -> str:
    if field.is_required():
        default = "required"
    elif field.default is PydanticUndefined:
        default = "–"
    else:
        default = f"`{json.dumps(_plain(field.default))}`"
    values = (_type(field.annotation) + _bounds(field)).replace("|", "\\|")
    return f"| `{name}` | {values} | {default} | {field.description} |\n"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_type(a) for a in arguments if a is not type(None))
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return f"list of {_type(arguments[0])}"
        return "[" + ", ".join(_type(a) for a in arguments) + "]"
    if origin is dict:
        return " → ".join(_type(a) for a in arguments)
    if hasattr(annotation, "__metadata__"):
        return _type(annotation.__origin__)
    return {"str": "text", "int": "integer", "float": "number", "bool": "true, false"}.get(
        getattr(annotation, "__name__", ""), str(annotation)
    )


def _bounds(field: FieldInfo) -> str:
    found = " ".join(str(item) for item in field.metadata)
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    bounds = [
        f"{signs[name]} {value}" for name, value in re.findall(r"\b(gt|ge|lt|le)=([-\d.e]+)", found)
    ]
    return f" {', '.join(bounds)}" if bounds else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    root = Path(__file__).parents[1]
    config = root / "config"
    texts = {config / "README.md": document(), root / "docs/records.md": record_docs.document()}
    texts |= {config / "schemas" / name: text for name, text in schemas().items()}
    records = record_docs.schemas()
    texts |= {config / "schemas/records" / name: text for name, text in records.items()}
    stale = [p for p, text in texts.items() if not p.is_file() or p.read_text("utf-8") != text]
    for path in stale:
        if not check:
            write_text(path, texts[path])
        print(f"{path}: {'out of date: run make config-docs' if check else 'written'}")
    sys.exit(bool(stale) and check)


if __name__ == "__main__":
    main()
