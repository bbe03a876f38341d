"""Put all evaluations of an experiment together: rates, intervals, verdict."""

from pathlib import Path

import pandas as pd

from vla.files import check_file, read_json, write_json, write_text
from vla.job import job, load_plan
from vla.plan import Experiment
from vla.report.table import table_page
from vla.statistics.summary import rates_table, summarise


def read_episodes(experiment: Experiment) -> pd.DataFrame:
    """Every episode of every run and condition, after checking each file against its record."""
    parts = []
    for run in experiment.runs:
        for evaluation in run.evaluations:
            record = read_json(experiment.evaluation_record(run, evaluation))
            path = next(
                check_file(file, experiment.folder)
                for file in record["files"]
                if file["path"].endswith("episodes.parquet")
            )
            parts.append(pd.read_parquet(path))
    return pd.concat(parts, ignore_index=True)


def training_facts(experiment: Experiment) -> list[dict]:
    """What the documents say of each training run, from its record."""
    names = ("seed", "key", "final_loss", "training_seconds", "parameters", "device")
    records = [read_json(experiment.run_record(run)) for run in experiment.runs]
    return [{name: record[name] for name in names} for record in records]


if __name__ == "__main__":
    words = snakemake.wildcards
    with job(snakemake.log[0], f"summarise {words.experiment}"):
        experiment = load_plan(snakemake).find_experiment(words.experiment)
        target = experiment.config.experiment.targets.success_rate
        summary = summarise(read_episodes(experiment), target)
        table = rates_table(summary)
        write_text(Path(snakemake.output.table), table.to_csv(index=False))
        write_text(
            Path(snakemake.output.page), table_page(table, f"{experiment.name}: success rates")
        )
        content = {"schema": 1, "experiment": experiment.name, **summary}
        write_json(
            Path(snakemake.output.summary), content | {"training": training_facts(experiment)}
        )
