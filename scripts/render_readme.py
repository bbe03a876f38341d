"""Render an experiment's README from its configuration, summary and records."""

from pathlib import Path

from vla.files.atomic import write_text
from vla.files.sealed import read_sealed
from vla.release.models import read_models
from vla.report.readme import readme_context, render_readme
from vla.report.sources import read_figures
from vla.workflow.job import job, load_plan

if __name__ == "__main__":
    words = snakemake.wildcards
    with job("analyse", snakemake.log[0], f"readme {words.experiment}") as root:
        experiment = load_plan(snakemake).find_experiment(words.experiment)
        summary = read_sealed(Path(snakemake.input.summary))
        context = readme_context(experiment, summary)
        context |= {"models": read_models(experiment), "figures": read_figures(experiment)}
        write_text(Path(snakemake.output[0]), render_readme(context, root))
