"""Stop before work that would be wasted: what must be there before an experiment runs."""

import logging
from pathlib import Path

from vla.checks.findings import check_experiment, require
from vla.records.check import CheckRecord
from vla.workflow.job import start_job

if __name__ == "__main__":
    with start_job(snakemake, f"check {snakemake.wildcards.experiment}") as job:
        plan = job.plan
        experiment = plan.find_experiment(snakemake.wildcards.experiment)
        experiment.find_run(snakemake.wildcards.run)
        findings = check_experiment(experiment, job.root, plan.config.allow_dirty)
        for finding in findings:
            level = logging.INFO if finding.status == "ok" else logging.WARNING
            logging.getLogger("vla").log(
                level, "%s: %s %s", finding.name, finding.found, finding.way_out
            )
        require(findings, experiment.name)
        CheckRecord(checks=findings).write(Path(snakemake.output[0]))
