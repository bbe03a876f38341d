"""Check every byte of a dataset against its manifest."""

from pathlib import Path

from vla.data.verification import verify
from vla.workflow.job import find_entry, job

if __name__ == "__main__":
    with job("data", snakemake.log[0], f"verify {snakemake.wildcards.dataset}") as root:
        entry = find_entry(root, snakemake.wildcards.dataset)
        verify(entry, root, Path(snakemake.output[0]), snakemake.threads)
