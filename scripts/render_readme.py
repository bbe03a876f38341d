"""Render an experiment's README from its configuration, summary and records."""

from pathlib import Path

from vla.files.atomic import write_text
from vla.knowledge.conclusions import conclude
from vla.records.summary import SummaryRecord
from vla.release.models import read_models
from vla.report.origin import shown_figures
from vla.report.readme import readme_context, render_readme
from vla.report.sources import read_figures
from vla.workflow.job import start_job

if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"readme {words.experiment}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        summary = SummaryRecord.read(Path(snakemake.input.summary))
        shown = readme_context(experiment, summary)
        shown |= {
            "models": read_models(experiment),
            "figures": shown_figures(experiment, read_figures(experiment)),
        }
        shown |= {"conclusion": conclude(experiment)}
        write_text(Path(snakemake.output[0]), render_readme(shown, job.root))
