"""Experiment folders as people make and annotate them: new ones, outcomes, notes."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from vla.config.outcome import DrawnFrom
from vla.errors import UserError, nearest
from vla.files.atomic import write_atomic, write_text
from vla.files.yaml import read_yaml
from vla.plan.reading import experiment_names, load_experiment, load_registry

NAME = re.compile(r"[A-Za-z0-9][\w.-]*")  # as the Snakefile's wildcard
BLANK = """# Every key, with unit and default: config/README.md
experiment:
  name: ""
  title: ""
  seed: 42
  description: ""
  hypothesis: ""
  goals: []
  plan: []
  risks: []
  targets: {}
model: {type: BC}
training: {}
data: {dataset: ""}
"""
NOTES = """# Notes

What people write by hand. `vla note` adds to it.
"""


def find_folder(root: Path, name: str) -> Path:
    """The experiment folder of that name; anything else, such as a path, is a `UserError`."""
    there = experiment_names(root)
    if name not in there:
        raise UserError(f"There is no experiment {name!r}; {nearest(name, there)}.", "Name one.")
    return root / "experiments" / name


def create_experiment(root: Path, name: str, parent: str = "", hypothesis: str = "") -> Path:
    """Make the folder of a new experiment, list it, and compare it with its parent.

    It takes the parent's configuration and its own training code, where it has some, with its risks
    and targets, but neither
    its description, hypothesis, goals and plan nor its outcome: these are to be written. Returns
    the folder.
    """
    folder = root / "experiments" / name
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} is no name for an experiment.",
            "Use letters, digits, _ . -, as in exp_004_more_data.",
        )
    if folder.exists():
        raise UserError(f"{folder} exists already.", "Take another name.")
    source = find_folder(root, parent) if parent else None
    text = (source / "config.yaml").read_text(encoding="utf-8") if source else BLANK
    yaml, content = _load(text)
    about = content["experiment"]
    number = re.match(r"exp_(\d+)_(.+)", name)
    words = (number[2] if number else name).replace("_", " ")
    head = {
        "name": words,
        "title": Quoted(f"Experiment {number[1]}: {words}" if number else words),
        "parent": parent,
        "description": Quoted(""),
        "hypothesis": hypothesis or Quoted(""),
        "goals": [],
        "plan": [],
    }
    for position, (key, value) in enumerate(head.items()):
        if key in about:
            about[key] = value
        else:
            about.insert(position, key, value)
    about.pop("outcome", None)
    if not parent:
        content["data"]["dataset"] = next(iter(load_registry(root)))
    folder.mkdir(parents=True)
    if source and (source / "train.py").is_file():
        shutil.copy2(source / "train.py", folder / "train.py")
    write_atomic(folder / "config.yaml", lambda path: yaml.dump(content, path))
    write_text(folder / "notes.md", NOTES)
    _list(root, name, parent)
    return folder


def note(
    root: Path,
    name: str,
    text: str = "",
    outcome: str = "",
    findings: tuple[str, ...] = (),
    next_steps: tuple[str, ...] = (),
) -> None:
    """Set an experiment's outcome, add findings and next steps to it, add text to its notes."""
    folder = find_folder(root, name)
    if outcome or findings or next_steps:
        with _outcome_of(folder / "config.yaml") as kept:
            if outcome:
                kept["status"] = outcome
            for key, added in (("findings", findings), ("next_steps", next_steps)):
                if added:
                    kept[key] = [*kept.get(key, []), *added]
    if text:
        notes = folder / "notes.md"
        written = notes.read_text(encoding="utf-8") if notes.is_file() else NOTES
        day = datetime.now(UTC).date().isoformat()
        write_text(notes, f"{written.rstrip()}\n\n**{day}.** {text}\n")


def note_results(root: Path, name: str, results: DrawnFrom) -> None:
    """Write which results an experiment's outcome was drawn from, in place of what stood there."""
    content = CommentedMap(results.model_dump(mode="json", exclude_none=True))
    for key in ("interval", "successes"):
        plain = content[key]
        content[key] = CommentedSeq(plain) if isinstance(plain, list) else CommentedMap(plain)
        content[key].fa.set_flow_style()
    with _outcome_of(find_folder(root, name) / "config.yaml") as outcome:
        outcome["drawn_from"] = content


@contextmanager
def _outcome_of(path: Path) -> Iterator[Any]:
    """The outcome in an experiment's configuration, to be changed; written back unless the
    configuration would then be refused."""
    before = path.read_text(encoding="utf-8")
    yaml, content = _load(before)
    yield content["experiment"].setdefault("outcome", {})
    write_atomic(path, lambda temporary: yaml.dump(content, temporary))
    try:
        load_experiment(path)
    except UserError:
        write_text(path, before)
        raise


def _list(root: Path, name: str, parent: str) -> None:
    """Add the experiment, and its comparison with its parent, to config/config.yaml."""
    path = root / "config/config.yaml"
    listed = read_yaml(path).get("experiments", [])
    yaml, content = _load(path.read_text(encoding="utf-8"))
    content["experiments"].append(name)
    if parent in listed:
        pair = yaml.seq([parent, name])
        pair.fa.set_flow_style()
        content.setdefault("comparisons", []).append(pair)
    write_atomic(path, lambda temporary: yaml.dump(content, temporary))


def _load(text: str) -> tuple[YAML, Any]:
    """YAML that keeps comments, order and quotes when it is written again."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml, yaml.load(text)
