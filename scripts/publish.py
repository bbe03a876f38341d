"""Show what was made where people look, and build the experiment database."""

from pathlib import Path

from vla.workflow.job import job
from vla.workflow.publication import publish

if __name__ == "__main__":
    with job(snakemake, "publish") as context:
        publish(context.plan(snakemake.config), context.root / Path(snakemake.output[0]))
