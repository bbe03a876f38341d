"""A project out of a package, for one level of reproduction."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from vla.errors import UserError
from vla.files.atomic import write_text
from vla.files.yaml import read_yaml
from vla.package.checking import path_problem, refuse
from vla.package.results import Results
from vla.records.package import PackageRecord

SOURCE, OUTPUTS, DATA = "source", "outputs", "data"  # folders of a package


def published(package: Path, record: PackageRecord) -> Results:
    """The results that a package holds."""
    return Results(package / OUTPUTS, record.layout)


def make_project(package: Path, record: PackageRecord, level: str, folder: Path) -> None:
    """Lay out source, data and what the level starts from in `folder`; results made there stay.

    `figures` starts from records, metrics and episodes; `evaluate` from the trained policies;
    `retrain` from the data alone.
    """
    shutil.copytree(package / SOURCE, folder, dirs_exist_ok=True)
    if (package / DATA).is_dir():
        shutil.copytree(package / DATA, folder / DATA, dirs_exist_ok=True)
    results = published(package, record)
    for file in _inputs(results, level):
        name = file.relative_to(results.root).as_posix()
        problem = path_problem(name)  # records of a stranger's name what they like
        if problem:
            raise refuse([problem], package)
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _inputs(results: Results, level: str) -> Iterator[Path]:
    """The published files that a level starts from."""
    for run in results.layout.runs if level != "retrain" else ():
        record = results.runs[run.seed]
        yield results.path(run.name, "run.json")
        for file in record.all_files():
            path = results.folder / file.path
            if path.is_file():
                yield path
            elif level == "evaluate":
                raise UserError(
                    f"The package holds no {file.path}: only its hash.",
                    "Ask for a package with weights, or reproduce at level retrain.",
                )
        for evaluation in run.evaluations if level == "figures" else ():
            yield results.path(run.name, evaluation.name, "evaluation.json")
            yield (
                results.folder
                / results.evaluations[run.seed, evaluation.condition].files.episodes.path
            )


def change_configuration(folder: Path, experiment: str, changed: tuple[str, ...]) -> None:
    """Set `KEY=VALUE` in the experiment's config.yaml of the project; VALUE as YAML has it."""
    if not changed:
        return
    path = folder / "experiments" / experiment / "config.yaml"
    content = read_yaml(path)
    for change in changed:
        key, separator, text = change.partition("=")
        if not separator or not all(key.split(".")):
            raise UserError(f"{change!r} sets nothing.", "Write it as experiment.seed=7.")
        _set(content, key.split("."), yaml.safe_load(text), key)
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _set(section: dict[str, Any], names: list[str], value: Any, key: str) -> None:
    for name in names[:-1]:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise UserError(f"{key}: {name} is no section.", "config/README.md names every key.")
    section[names[-1]] = value
