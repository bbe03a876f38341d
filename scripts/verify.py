"""Compare two runs, and fail unless one reproduces the other."""

import logging
from pathlib import Path

from vla.errors import UserError
from vla.reproduction.verify import read_run, verify
from vla.workflow.job import start_job

logger = logging.getLogger("vla")

if __name__ == "__main__":
    with start_job(snakemake, "verify") as job:
        runs = job.plan.config.verify
        if runs is None:
            raise UserError(
                "Which two runs?",
                """snakemake verify --config 'verify=["experiments/E/results/seed42-KEY", "…"]'""",
            )
        verdict = verify(*(read_run(Path(run)) for run in runs))
        if verdict.word not in ("identical", "equivalent"):
            raise UserError(str(verdict), "docs/exactness.md says what the word means.")
        logger.info("%s", verdict)
