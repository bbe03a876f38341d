"""Views: copies, where people look, of what lies under keys. Never an input of anything."""

from pathlib import Path

from vla.files import write_text
from vla.plan import Plan


def publish_views(plan: Plan) -> None:
    """Copy each README into its experiment's folder and the report to reports/report.html.

    What is not made yet is left as it is; unchanged views are not touched.
    """
    report = plan.root / "reports"
    _show(report / plan.report.name / "report.html", report / "report.html")
    for experiment in plan.experiments.values():
        rendered = experiment.results(experiment.readme.name, "README.md")
        _show(rendered, experiment.folder / "README.md")


def _show(made: Path, view: Path) -> None:
    if made.is_file():
        text = made.read_text(encoding="utf-8")
        if not view.is_file() or view.read_text(encoding="utf-8") != text:
            write_text(view, text)
