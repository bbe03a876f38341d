"""Which pretrained weights a configuration names."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from vla.config.weights import WeightsEntry
from vla.errors import UserError, nearest
from vla.files.yaml import read_yaml
from vla.plan.reading import validate
from vla.weights.packaged import PackagedWeights
from vla.weights.pinned import PinnedWeights

REGISTRY = "config/weights.yaml"


def load_weights(root: Path) -> dict[str, PinnedWeights]:
    """Every entry of the registry, by name; none without the file."""
    path = root / REGISTRY
    content = read_yaml(path) if _says_something(path) else {}
    entries = {name: validate(WeightsEntry, entry, path) for name, entry in content.items()}
    return {
        name: (PackagedWeights if entry.package else PinnedWeights)(name, entry, root)
        for name, entry in entries.items()
    }


def _says_something(path: Path) -> bool:
    """Whether it is there and holds more than comments: a registry may be empty."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return any(line.strip() and not line.startswith("#") for line in lines)


def find_weights(registry: dict[str, PinnedWeights], name: str, source: object) -> PinnedWeights:
    """The registry's entry of that name; `source`: what names it, for the `UserError`."""
    if name not in registry:
        known = nearest(name, list(registry)) if registry else "the registry is empty"
        raise UserError(
            f"{source}: nobody registered the weights {name!r}; {known}",
            f"Register them in {REGISTRY} (docs/policies.md), or use a registered name.",
        )
    return registry[name]


def weights_named(section: BaseModel) -> tuple[str, ...]:
    """Names of the registry's entries that a section asks for, each once, sorted."""
    return tuple(sorted(set(_named(section))))


def _named(section: BaseModel) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _named(value)
        elif value and (field.json_schema_extra or {}) == {"registry": "weights"}:
            yield value
