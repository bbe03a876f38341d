"""Publication: views are brought up to date and the experiment database is built.

The last step of a workflow, as a rule, so that it runs in its locked environment.
"""

import gc
import json
import sys
import tempfile
from pathlib import Path

from vla.errors import UserError
from vla.files.atomic import write_text
from vla.plan.plan import Plan
from vla.report.documents import build_documents
from vla.report.html import render_report
from vla.source.snapshot import project_of
from vla.workflow.context import JobContext
from vla.workflow.drafts import write_draft
from vla.workflow.views import show, write_publication


def publish(plan: Plan, record: Path) -> None:
    """Show all that the plan asks for, which is made; build the documents; write the record last."""
    show(plan)
    build_documents(plan.root)
    write_publication(plan, record)


def publish_unfinished(plan: Plan) -> None:
    """When a workflow has failed: what there is, and of the rest how far it came.

    READMEs and report of what is not finished say so, with anomalies.
    """
    show(plan)
    drafts = {
        experiment.name: write_draft(experiment)
        for experiment in plan.experiments.values()
        if not experiment.document("readme", "README.md").is_file()
    }
    if not (plan.root / "reports" / plan.report.name / "report.html").is_file():
        with tempfile.TemporaryDirectory() as folder:
            linked = [
                e for e in plan.experiments if plan.experiment_report(e, "report.html").is_file()
            ]
            text = render_report(plan, Path(folder), drafts, linked)
        write_text(project_of(plan.root) / "reports/report.html", text)
    build_documents(plan.root)


def main() -> None:
    """Called by the Snakefile when a workflow has failed; its configuration comes as one argument."""
    config = json.loads(sys.argv[1])
    publish_unfinished(JobContext.from_config(config).plan(config))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
    finally:
        gc.freeze()  # the process ends; the collector would look through all that was imported
