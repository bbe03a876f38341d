"""The loss of one trained policy on demonstrations that it was not trained on."""

from pathlib import Path

from vla.data.opening import open_store
from vla.data.places import store_record
from vla.files.atomic import remove_leftovers
from vla.files.clock import now
from vla.plan.items import Run
from vla.plan.sweeps import Combination, Validation
from vla.policies.storage import load_policy, read_description
from vla.process.determinism import choose_device, evaluation_mode, set_determinism
from vla.records.circumstances import write_patch
from vla.records.run import RunRecord
from vla.records.validation import ValidationFiles, ValidationRecord
from vla.training.validation import require_fitting, validation_loss
from vla.workflow.job import Job, start_job


def validate(
    experiment: Combination, run: Run, validation: Validation, record: Path, job: Job
) -> None:
    """Compute the loss, and write the record."""
    config = experiment.config
    mode = evaluation_mode(config.training.determinism, experiment.accelerator)
    switches = set_determinism(config.resources.training_threads, mode)
    circumstances, diff = job.circumstances(validation, experiment)
    remove_leftovers(record.parent)
    trained = RunRecord.read(experiment.run_record(run))
    trained.check_files(experiment.folder)
    policy_file = experiment.folder / trained.files.policy.path
    device = choose_device(experiment.accelerator)
    policy = load_policy(policy_file, str(device))
    folder = store_record(experiment.root, validation.store.name).parent
    store = open_store(folder, validation.store.pinned)
    seen = read_description(policy_file).demonstration_seeds
    require_fitting(policy, store, tuple(seen), validation.store.dataset)
    loss, samples = validation_loss(
        policy, store, config.model.chunk_length, config.training.precision
    )
    ValidationRecord(
        **dict(circumstances),
        key=validation.key,
        identity=validation.identity,
        experiment=experiment.name,
        run=run.key,
        policy_sha256=trained.files.policy.sha256,
        dataset=validation.store.dataset,
        content=store.content,
        device=str(device),
        determinism=switches,
        loss=loss,
        samples=samples,
        files=ValidationFiles(patch=write_patch(record, diff, experiment.folder)),
        finished=now(),
    ).write(record)


if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"validate {words.experiment} {words.run.split('-')[0]}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        validation = experiment.find_validation(run, f"validation-{words.key}")
        validate(experiment, run, validation, Path(snakemake.output[0]), job)
