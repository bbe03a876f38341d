"""Configuration sections as one level of names, and what differs between two of them."""

from typing import Any

ABSENT = "(absent)"


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested sections as one level: `training.batch_size`."""
    values: dict[str, Any] = {}
    for name, content in value.items():
        if isinstance(content, dict):
            values |= flat(content, f"{prefix}{name}.")
        else:
            values[prefix + name] = content
    return values


def changes(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """`name old → new` for each name whose values differ."""
    return [
        f"{name} {one.get(name, ABSENT)} → {other.get(name, ABSENT)}"
        for name in [*one, *(name for name in other if name not in one)]
        if one.get(name, ABSENT) != other.get(name, ABSENT)
    ]
