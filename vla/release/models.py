"""What is said of an experiment's models when they are handed on."""

from typing import Any

from vla.config.complete import ExperimentConfig
from vla.files.described import check_file
from vla.plan.items import Experiment
from vla.records.models import (
    Interface,
    LicensedDataset,
    ModelsRecord,
    Recipe,
    ReleasedPolicy,
)
from vla.records.policy import PolicyDescription
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.release.versions import next_version, released_models
from vla.report.readme import readme_context


def describe_models(experiment: Experiment, summary: SummaryRecord) -> ModelsRecord:
    """The metadata of the policies of all runs: version, interface, recipe, data, results, files."""
    records = [RunRecord.read(experiment.run_record(run)) for run in experiment.runs]
    described = [check_file(record.files.description, experiment.folder) for record in records]
    first, description = records[0], PolicyDescription.read(described[0])
    config = experiment.config
    datasets = tuple(
        LicensedDataset(**dict(dataset), licence=entry.licence, source=entry.source)
        for dataset, entry in zip(first.datasets, experiment.datasets, strict=True)
    )
    interface = _interface(config, description)
    recipe = Recipe(
        model=config.model.model_dump(mode="json"),
        training=config.training.model_dump(mode="json"),
        data=config.data.model_dump(mode="json")
        | {"contents": [dataset.content for dataset in datasets]},
    )
    runs = tuple(run.key for run in experiment.runs)
    released = released_models(experiment.results())
    version, reasons = next_version(released, runs, interface, recipe)
    return ModelsRecord(
        experiment=experiment.name,
        version=version,
        reasons=reasons,
        licence=config.experiment.licence,
        runs=runs,
        interface=interface,
        recipe=recipe,
        instructions={task.name: task.instructions for task in description.tasks},
        datasets=datasets,
        parameters=first.parameters,
        evaluation=config.evaluation.model_dump(mode="json"),
        results={name: rates.overall for name, rates in summary.conditions.items()},
        policies=tuple(
            ReleasedPolicy(
                seed=run.seed,
                run=run.name,
                weights=record.files.policy,
                description=record.files.description,
            )
            for run, record in zip(experiment.runs, records, strict=True)
        ),
    )


def card_context(
    experiment: Experiment, summary: SummaryRecord, models: ModelsRecord
) -> dict[str, Any]:
    """What the template of the model card shows."""
    return readme_context(experiment, summary) | {"models": models}


def read_models(experiment: Experiment) -> ModelsRecord:
    """The metadata that `release_models` recorded for the experiment as it is configured."""
    return ModelsRecord.read(experiment.document("models", "models.json"))


def _interface(config: ExperimentConfig, description: PolicyDescription) -> Interface:
    spec = description.spec
    return Interface(
        cameras=spec["cameras"],
        image_size=spec["image_size"],
        state_dim=len(spec["state_mean"]),
        action_dim=len(spec["action_low"]),
        chunk_length=config.model.chunk_length,
        max_words=getattr(config.model, "max_words", None),
    )
