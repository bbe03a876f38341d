"""Render the HTML report over all experiments."""

from pathlib import Path

from vla.files.atomic import write_text
from vla.report.html import render_report
from vla.workflow.job import start_job

if __name__ == "__main__":
    with start_job(snakemake, "report") as job:
        output = Path(snakemake.output[0])
        write_text(output, render_report(job.plan, output.parent, {}, job.plan.experiments))
