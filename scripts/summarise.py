"""Put all evaluations of an experiment together: rates, intervals, verdict."""

import logging
from pathlib import Path

from vla.files.atomic import write_text
from vla.records.summary import SummaryRecord
from vla.report.sources import read_metrics
from vla.statistics.episodes import read_episodes
from vla.statistics.summary import evaluation_gap, rates_table, summarise
from vla.workflow.job import start_job

if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"summarise {words.experiment}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        target = experiment.config.experiment.targets.success_rate
        rates = summarise(read_episodes(experiment), target)
        floor = experiment.documents["summary"].identity["evaluation_floor"]
        gap = evaluation_gap(rates, read_metrics(experiment), floor)
        for line in gap:
            logging.getLogger("vla").warning("Anomaly: %s", line)
        table = rates_table(rates)
        write_text(Path(snakemake.output.table), table.to_csv(index=False))
        record = SummaryRecord(experiment=experiment.name, evaluation_gap=gap, **dict(rates))
        record.write(Path(snakemake.output.summary))
