"""Bring the files of pretrained weights here when some are missing."""

from pathlib import Path

from vla.records.fetch import FetchRecord
from vla.weights.fetching import fetch
from vla.workflow.job import start_job

if __name__ == "__main__":
    name = snakemake.wildcards.weights
    with start_job(snakemake, f"fetch {name}") as job:
        brought = fetch(job.plan.find_weights(name))
        FetchRecord(pulled=brought).write(Path(snakemake.output[0]))
