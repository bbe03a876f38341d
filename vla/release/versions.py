"""Semantic versions of an experiment's models (semver.org): what a user of the model must adapt to."""

from pathlib import Path
from typing import Any

from vla.files.sealed import read_sealed
from vla.reproduction.differences import changes, flat


def released_models(results: Path) -> list[dict[str, Any]]:
    """What `release_models` recorded in an experiment's results, oldest version first."""
    records = [read_sealed(path) for path in results.glob("models-*/models.json")]
    return sorted(records, key=lambda record: _parts(record["version"]))


def next_version(
    released: list[dict[str, Any]],
    runs: list[str],
    interface: dict[str, Any],
    recipe: dict[str, Any],
) -> tuple[str, list[str]]:
    """The version of the policies of `runs` (keys), and why.

    The same runs keep their version. Otherwise, against the newest version: major when what goes in
    or comes out of the policy differs (`interface`), minor when architecture, training or data do
    (`recipe`), patch when the same recipe was trained again (seeds, code, environment).
    """
    for record in released:
        if record["runs"] == runs:
            return record["version"], record["reasons"]
    if not released:
        return "1.0.0", ["the first one"]
    newest = released[-1]
    major, minor, patch = _parts(newest["version"])
    since = f"since {newest['version']}"
    if newest["interface"] != interface:
        reasons = changes(flat(newest["interface"]), flat(interface))
        return f"{major + 1}.0.0", [f"interface, {since}: {line}" for line in reasons]
    if newest["recipe"] != recipe:
        reasons = changes(flat(newest["recipe"]), flat(recipe))
        return f"{major}.{minor + 1}.0", [f"recipe, {since}: {line}" for line in reasons]
    return f"{major}.{minor}.{patch + 1}", [
        f"trained again {since}: other seeds, code or environment"
    ]


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
