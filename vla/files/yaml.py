"""YAML that is read strictly: no key twice, and mistakes named by file and line."""

from pathlib import Path
from typing import Any

import yaml

from vla.errors import UserError


class StrictLoader(yaml.SafeLoader):
    """YAML in which no key may stand twice."""


def _mapping_without_duplicates(loader: StrictLoader, node: yaml.MappingNode) -> dict:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.YAMLError(f"key {key!r} stands twice, line {node.start_mark.line + 1} on")
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; what cannot be read is a `UserError` that names file and line."""
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506
    except FileNotFoundError:
        raise UserError(f"{path} is missing.", "Write it, or correct its name.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {error}", "Correct the file.") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no mapping of keys to values.", "Correct the file.")
    return content
