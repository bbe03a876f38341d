"""Views: copies, where people look, of what lies under keys. Never an input of anything."""

import os
import shutil
from pathlib import Path

from vla.files.atomic import write_atomic, write_text
from vla.files.sealed import read_sealed
from vla.plan.items import Experiment
from vla.plan.plan import Plan


def publish_views(plan: Plan) -> None:
    """Copy each README into its experiment's folder, the report to reports/report.html, and gather
    each experiment's models in models/v<version>/.

    What is not made yet is left as it is; unchanged views are not touched.
    """
    report = plan.root / "reports"
    _show(report / plan.report.name / "report.html", report / "report.html")
    for experiment in plan.experiments.values():
        _show(rendered_readme(experiment), experiment.folder / "README.md")
        _show_models(experiment)


def rendered_readme(experiment: Experiment) -> Path:
    return experiment.results(experiment.readme.name, "README.md")


def _show_models(experiment: Experiment) -> None:
    """One folder a version that can be handed on: card, metadata, policies by seed."""
    record = experiment.results(experiment.models.name, "models.json")
    if not record.is_file():
        return
    models = read_sealed(record)
    folder = experiment.folder / "models" / f"v{models['version']}"
    _show(record, folder / "models.json")
    _show(record.with_name("MODEL_CARD.md"), folder / "MODEL_CARD.md")
    for policy in models["policies"]:
        for file in policy["files"]:
            made = experiment.folder / file["path"]
            view = folder / f"seed{policy['seed']}" / made.name
            if made.is_file() and not view.is_file():
                write_atomic(view, lambda temporary, made=made: _link(made, temporary))


def _link(made: Path, view: Path) -> None:
    """The same file under a second name, which takes no space; a copy where that cannot be."""
    try:
        os.link(made, view)
    except OSError:
        shutil.copy2(made, view)


def _show(made: Path, view: Path) -> None:
    if made.is_file():
        text = made.read_text(encoding="utf-8")
        if not view.is_file() or view.read_text(encoding="utf-8") != text:
            write_text(view, text)
