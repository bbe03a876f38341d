"""Render the report of one experiment, as a page and as a PDF."""

from pathlib import Path

from vla.files.atomic import write_atomic, write_text
from vla.plan.items import find
from vla.report.content import read_content
from vla.report.experiment_page import render_page
from vla.report.experiment_pdf import render_pdf
from vla.workflow.job import start_job

if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"report {words.experiment}") as job:
        plan = job.plan
        item = plan.experiment_reports[words.experiment]
        find((item,), f"report-{words.key}")
        experiment = plan.find_experiment(words.experiment)
        content = read_content(experiment, plan.comparisons_of(words.experiment), item.key)
        pdf = render_pdf(content, job.root)
        write_atomic(Path(snakemake.output.pdf), lambda path: path.write_bytes(pdf))
        write_text(Path(snakemake.output.page), render_page(content, job.root))
