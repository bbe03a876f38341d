"""Decode a verified dataset into its memory-mapped training store."""

from pathlib import Path

from vla.data.preparation import prepare
from vla.data.verification import require_verified
from vla.errors import UserError
from vla.files.exclusive import exclusive
from vla.workflow.job import start_job

if __name__ == "__main__":
    with start_job(snakemake, "prepare") as job:
        experiment = job.plan.find_store(snakemake.wildcards.store)
        if experiment.dataset.format != "lerobot-v3":
            raise UserError(
                f"Datasets of the format {experiment.dataset.format} cannot be prepared yet.",
                "Convert it to LeRobotDataset v3.0 and register that.",
            )
        require_verified(experiment.dataset, job.root)
        store = Path(snakemake.output[0]).parent
        with exclusive(store):
            prepare(experiment.dataset.folder(job.root), experiment.config.data.cameras, store)
