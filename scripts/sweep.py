"""Put all runs of a sweep side by side, and choose a combination by its validation loss."""

from functools import partial
from pathlib import Path

from vla.files.described import describe_file
from vla.records.sweep import SweepRecord
from vla.report.style import save_all
from vla.report.sweep import draw_sweep, sweep_table
from vla.statistics.sweep import in_words, read_results
from vla.workflow.job import start_job

if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"sweep {words.experiment}") as job:
        sweep = job.plan.find_sweep(words.experiment)
        results = read_results(sweep)
        record = Path(snakemake.output.record).absolute()
        save_all(partial(draw_sweep, results), sweep_table(results), record.with_suffix(""))
        table, picture, printed = (
            describe_file(record.with_suffix(ending), sweep.folder)
            for ending in (".csv", ".svg", ".pdf")
        )
        validation = sweep.combinations[0].validations[0].store
        SweepRecord(
            experiment=sweep.name,
            parameters=tuple(results.chosen.values),
            chosen=results.chosen,
            chosen_by=in_words(results, validation.dataset),
            validation=validation.dataset,
            validation_content=validation.identity["dataset"],
            combinations=results.combinations,
            runs=results.runs,
            stopped=results.stopped,
            decisions=tuple(
                describe_file(sweep.halving_record(number), sweep.folder)
                for number in range(len(sweep.halvings))
            ),
            table=table,
            picture=picture,
            print=printed,
        ).write(record)
