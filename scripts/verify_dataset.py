"""Check every byte of a dataset against its manifest."""

from pathlib import Path

from vla.data.verification import verify
from vla.workflow.job import start_job

if __name__ == "__main__":
    with start_job(snakemake, f"verify {snakemake.wildcards.dataset}") as job:
        entry = job.plan.find_dataset(snakemake.wildcards.dataset)
        verify(entry, job.root, Path(snakemake.output[0]), snakemake.threads)
