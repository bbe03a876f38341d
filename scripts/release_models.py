"""Give an experiment's policies their semantic version, metadata and model card."""

from pathlib import Path

from vla.files.atomic import write_text
from vla.files.exclusive import exclusive
from vla.records.summary import SummaryRecord
from vla.release.models import card_context, describe_models
from vla.report.templates import template_environment
from vla.workflow.job import start_job

if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"release {words.experiment}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        summary = SummaryRecord.read(Path(snakemake.input.summary))
        # Versions are counted: two releases at once would both take the next one.
        with exclusive(experiment.results(".models")):
            models = describe_models(experiment, summary)
            template = template_environment(job.root).get_template("model_card.md.j2")
            card = template.render(card_context(experiment, summary, models))
            write_text(Path(snakemake.output.card), card)
            models.write(Path(snakemake.output.models))
