"""Draw an experiment's figures."""

from pathlib import Path

from vla.files.described import describe_file
from vla.files.sealed import read_sealed, write_sealed
from vla.report.figures import learning_curve, save, success_by_task
from vla.report.sources import read_metrics
from vla.workflow.job import job, load_plan

if __name__ == "__main__":
    words = snakemake.wildcards
    with job("analyse", snakemake.log[0], f"plot {words.experiment}"):
        experiment = load_plan(snakemake).find_experiment(words.experiment)
        metrics = read_metrics(experiment)
        figures = [Path(snakemake.output.learning_curve), Path(snakemake.output.success)]
        save(learning_curve(metrics), figures[0])
        summary = read_sealed(Path(snakemake.input.summary))
        save(success_by_task(summary), figures[1])
        files = [describe_file(figure.absolute(), experiment.folder) for figure in figures]
        write_sealed(Path(snakemake.output.record), {"schema": 1, "files": files})
