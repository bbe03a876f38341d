"""Views: copies, where people look, of what lies under keys. Never an input of anything.

No rule declares them. Each publication leaves a numbered record of what it showed; another is due
when the configuration asks for something else, or a view was changed.
"""

import os
import shutil
from pathlib import Path

from vla.errors import UserError
from vla.files.atomic import write_atomic
from vla.files.hashing import sha256_file
from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.records.models import ModelsRecord
from vla.records.publication import PublicationRecord, View
from vla.source.snapshot import project_of
from vla.upkeep.snapshots import snapshots, users

RECORDS = "results/.published"
PUBLICATION = "publication"  # in a snapshot: its number


def needed_publication(plan: Plan) -> Path:
    """The record of publication that what is asked for needs; reads, and changes nothing.

    An existing path when that was shown last and is still to be seen; else the next free number.
    """
    records = sorted((plan.root / RECORDS).glob("*.json"), key=lambda path: int(path.stem))
    last = int(records[-1].stem) if records else 0
    own = plan.root / PUBLICATION  # of a snapshot's workflow, beside which others may be at work
    number = int(own.read_text()) if own.is_file() else last + 1
    following = plan.root / RECORDS / f"{number}.json"
    if not records:
        return following
    try:
        shown = PublicationRecord.read(records[-1]).views
    except UserError:
        return following
    root = project_of(plan.root)
    views = {view.relative_to(root).as_posix(): made for view, made in _views(plan).items()}
    if shown.keys() != views.keys():
        return following
    for view, made in views.items():
        path = root / view
        before = shown[view]
        if before.original != made.relative_to(plan.root).as_posix() or not path.is_file():
            return following
        status = path.stat()
        unchanged = (status.st_size, status.st_mtime_ns) == (before.bytes, before.modified_ns)
        if not unchanged and sha256_file(path) != before.sha256:
            return following
    return records[-1]


def number_publication(snapshot: Path) -> None:
    """Give a snapshot's workflow a number of its own for what it publishes: after all that was published,
    and after those of other workflows at work."""
    root = project_of(snapshot)
    others = [path for path in snapshots(root) if path != snapshot and users(path)]
    taken = [int(path.stem) for path in (root / RECORDS).glob("*.json")]
    taken += [int((path / PUBLICATION).read_text()) for path in others]
    (snapshot / PUBLICATION).write_text(str(max(taken, default=0) + 1))


def show(plan: Plan) -> None:
    """Copy what is made; unchanged views are not touched."""
    for view, made in _views(plan).items():
        _copy(made, view)
    for experiment in plan.experiments.values():
        _show_models(experiment)


def write_publication(plan: Plan, record: Path) -> None:
    """Record what is shown now."""
    views = {}
    for view, made in _views(plan).items():
        status = view.stat()
        views[view.relative_to(project_of(plan.root)).as_posix()] = View(
            original=made.relative_to(plan.root).as_posix(),
            bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            sha256=sha256_file(view),
        )
    PublicationRecord(views=views).write(record)


def _views(plan: Plan) -> dict[Path, Path]:
    """View -> what it is a copy of, made or not. Views of a snapshot's workflow are the project's."""
    root = project_of(plan.root)
    reports = root / "reports"
    made = plan.root / "reports" / plan.report.name / "report.html"
    views = {reports / "report.html": made}
    for name, experiment in plan.experiments.items():
        views[root / "experiments" / name / "README.md"] = experiment.document(
            "readme", "README.md"
        )
        for ending in (".html", ".pdf"):
            made = plan.experiment_report(name, f"report{ending}")
            views[reports / "experiments" / f"{name}{ending}"] = made
    return views


def _show_models(experiment: Experiment) -> None:
    """One folder a version that can be handed on: card, metadata, policies by seed."""
    record = experiment.document("models", "models.json")
    if not record.is_file():
        return
    models = ModelsRecord.read(record)
    folder = experiment.folder / "models" / f"v{models.version}"
    _copy(record, folder / "models.json")
    _copy(record.with_name("MODEL_CARD.md"), folder / "MODEL_CARD.md")
    for policy in models.policies:
        for file in (policy.weights, policy.description):
            made = experiment.folder / file.path
            view = folder / f"seed{policy.seed}" / made.name
            if made.is_file() and not view.is_file():
                write_atomic(view, lambda temporary, made=made: _link(made, temporary))


def _link(made: Path, view: Path) -> None:
    """The same file under a second name, which takes no space; a copy where that cannot be."""
    try:
        os.link(made, view)
    except OSError:
        shutil.copy2(made, view)


def _copy(made: Path, view: Path) -> None:
    if made.is_file():
        content = made.read_bytes()
        if not view.is_file() or view.read_bytes() != content:
            write_atomic(view, lambda temporary: temporary.write_bytes(content))
