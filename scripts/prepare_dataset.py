"""Decode a verified dataset into its memory-mapped training store."""

import logging
from pathlib import Path

from vla.data.opening import open_store
from vla.data.places import dataset_folder
from vla.data.preparation import prepare
from vla.data.readers import reader_class
from vla.data.verification import require_verified
from vla.files.exclusive import exclusive
from vla.workflow.job import start_job

logger = logging.getLogger("vla")


def report(done: int, shards: int) -> None:
    logger.info("prepare: shard %d/%d", done, shards, extra={"fraction": done / shards})


if __name__ == "__main__":
    with start_job(snakemake, "prepare") as job:
        store = job.plan.find_store(snakemake.wildcards.store)
        require_verified(store.entry, job.root)
        folder = Path(snakemake.output[0]).parent
        with exclusive(folder):
            prepare(
                reader_class(store.entry),
                dataset_folder(store.entry, job.root),
                store.cameras,
                folder,
                processes=snakemake.threads,
                pinned=store.pinned,
                report=report,
            )
            # Training jobs then find it verified, and hash nothing.
            open_store(folder, store.pinned, snakemake.threads)
