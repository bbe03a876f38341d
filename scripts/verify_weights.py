"""Check every byte of pretrained weights against their pins."""

from pathlib import Path

from vla.weights.verification import verify
from vla.workflow.job import start_job

if __name__ == "__main__":
    name = snakemake.wildcards.weights
    with start_job(snakemake, f"verify {name}") as job:
        verify(job.plan.find_weights(name), Path(snakemake.output[0]), snakemake.threads)
