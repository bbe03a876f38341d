"""Show what was made where people look, and build the experiment database."""

from pathlib import Path

from vla.workflow.job import start_job
from vla.workflow.publication import publish

if __name__ == "__main__":
    with start_job(snakemake, "publish") as job:
        publish(job.plan, job.root / Path(snakemake.output[0]))
