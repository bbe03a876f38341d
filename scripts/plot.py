"""Draw an experiment's figures."""

from pathlib import Path

from vla.files import read_sealed
from vla.job import job, load_plan
from vla.report.figures import learning_curve, save, success_by_task
from vla.report.sources import read_metrics

if __name__ == "__main__":
    words = snakemake.wildcards
    with job("analyse", snakemake.log[0], f"plot {words.experiment}"):
        experiment = load_plan(snakemake).find_experiment(words.experiment)
        metrics = read_metrics(experiment)
        save(learning_curve(metrics), Path(snakemake.output.learning_curve))
        summary = read_sealed(Path(snakemake.input.summary))
        save(success_by_task(summary), Path(snakemake.output.success))
