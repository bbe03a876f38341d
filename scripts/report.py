"""Render the HTML report over all experiments."""

from pathlib import Path

from vla.files.atomic import write_text
from vla.report.html import render_report
from vla.workflow.job import job, load_plan

if __name__ == "__main__":
    with job("analyse", snakemake.log[0], "report"):
        output = Path(snakemake.output[0])
        write_text(output, render_report(load_plan(snakemake), output.parent, unfinished={}))
