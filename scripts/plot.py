"""Draw an experiment's figures, and its success rates as a page."""

from pathlib import Path

from vla.files.atomic import write_text
from vla.files.described import describe_file
from vla.records.figures import FiguresRecord
from vla.report.drawing import draw_figures
from vla.report.sources import read_source
from vla.report.templates import template_environment
from vla.statistics.summary import rates_table
from vla.workflow.job import start_job

if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"plot {words.experiment}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        source = read_source(experiment)
        record = Path(snakemake.output.record).absolute()
        figures = draw_figures(source, job.root, record.parent, experiment.folder)
        page = Path(snakemake.output.page).absolute()
        template = template_environment(job.root).get_template("success_rates.html.j2")
        rates = list(rates_table(source.summary).itertuples(index=False))
        write_text(page, template.render(experiment=experiment.name, rates=rates))
        FiguresRecord(figures=figures, page=describe_file(page, experiment.folder)).write(record)
