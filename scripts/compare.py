"""Compare two experiments on the episodes they share."""

from functools import partial
from pathlib import Path

from vla.files.described import describe_file
from vla.records.comparison import ComparisonRecord
from vla.report.comparison import comparison_table, draw_comparison
from vla.report.style import save_all
from vla.statistics.comparison import compare_conditions
from vla.statistics.episodes import read_episodes
from vla.workflow.job import start_job

if __name__ == "__main__":
    with start_job(snakemake, "compare") as job:
        plan = job.plan
        pair = plan.find_comparison(snakemake.wildcards.comparison)
        experiments = [plan.find_experiment(name) for name in (pair.baseline, pair.candidate)]
        results = compare_conditions(*map(read_episodes, experiments))
        names = tuple(experiment.config.experiment.name for experiment in experiments)
        figure = Path(snakemake.output.figure)
        save_all(partial(draw_comparison, results, names), comparison_table(results, names), figure)
        picture, printed, data = (
            describe_file(figure.with_suffix(ending), figure.parent)
            for ending in (".svg", ".pdf", ".csv")
        )
        record = ComparisonRecord(
            experiments=(pair.baseline, pair.candidate),
            names=names,
            figure=picture,
            print=printed,
            data=data,
            **dict(results.pop("instructed")),
            others=results,
        )
        record.write(Path(snakemake.output.results))
