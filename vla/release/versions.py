"""Semantic versions of an experiment's models (semver.org): what a user of the model must adapt to."""

from pathlib import Path

from vla.plan.sections import changes, flat
from vla.records.models import Interface, ModelsRecord, Recipe
from vla.records.part import Part


def released_models(results: Path) -> list[ModelsRecord]:
    """What `release_models` recorded in an experiment's results, oldest version first."""
    records = [ModelsRecord.read(path) for path in results.glob("models-*/models.json")]
    return sorted(records, key=lambda record: _parts(record.version))


def next_version(
    released: list[ModelsRecord], runs: tuple[str, ...], interface: Interface, recipe: Recipe
) -> tuple[str, tuple[str, ...]]:
    """The version of the policies of `runs` (keys), and why.

    The same runs keep their version. Otherwise, against the newest version: major when what goes in
    or comes out of the policy differs (`interface`), minor when architecture, training or data do
    (`recipe`), patch when the same recipe was trained again (seeds, code, environment).
    """
    for record in released:
        if record.runs == runs:
            return record.version, record.reasons
    if not released:
        return "1.0.0", ("the first one",)
    newest = released[-1]
    major, minor, patch = _parts(newest.version)
    since = f"since {newest.version}"
    if newest.interface != interface:
        reasons = _changes(newest.interface, interface)
        return f"{major + 1}.0.0", tuple(f"interface, {since}: {line}" for line in reasons)
    if newest.recipe != recipe:
        reasons = _changes(newest.recipe, recipe)
        return f"{major}.{minor + 1}.0", tuple(f"recipe, {since}: {line}" for line in reasons)
    reason = f"trained again {since}: other seeds, code or environment"
    return f"{major}.{minor}.{patch + 1}", (reason,)


def _changes(one: Part, other: Part) -> list[str]:
    return changes(*(flat(part.model_dump(mode="json")) for part in (one, other)))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
