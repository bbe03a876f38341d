"""Train one run of a sweep up to a rung of early stopping, and measure its validation loss there."""

import math
import shutil
from contextlib import nullcontext
from pathlib import Path

from vla.data.mixture import Mixture
from vla.data.opening import open_store
from vla.data.places import store_record
from vla.data.store import PreparedStore
from vla.errors import GoOnLaterError
from vla.files.atomic import remove_leftovers, write_json
from vla.files.clock import now
from vla.files.exclusive import exclusive
from vla.plan.items import Run
from vla.plan.sweeps import Combination, Rung
from vla.policies.protocol import Policy
from vla.process.determinism import (
    choose_device,
    evaluation_mode,
    set_determinism,
    training_mode,
)
from vla.records.attempts import attempt
from vla.records.circumstances import write_patch
from vla.records.rung import RungFiles, RungRecord
from vla.tracking.mirroring import Mirroring, tracked_run, tracker_names
from vla.training.job import open_data, train_run
from vla.training.ranks import Ranks
from vla.training.rungs import UpToStep, hash_weights, newest_step
from vla.training.supervision import DivergedError
from vla.training.together import Leading
from vla.training.validation import require_fitting, validation_loss
from vla.workflow.job import Job, start_job
from vla.workflow.ranks import training_processes
from vla.workflow.run_record import RunFolders


def train(
    experiment: Combination, run: Run, rung: Rung, data: PreparedStore | Mixture, job: Job
) -> Policy:
    """The policy with the weights of the rung's step, trained from the newest checkpoint.

    `DivergedError` when training went wrong before.
    """
    config = experiment.config
    mode = training_mode(config.training.determinism, experiment.accelerator)
    set_determinism(config.resources.training_threads, mode)
    folders = RunFolders.of(experiment, run, experiment.run_record(run))
    checkpoints, logs = folders.checkpoints, folders.logs
    trackers = tracker_names(config.tracking)
    # What was trained further, without early stopping or with other rungs, is left as it is.
    if folders.record.is_file() or newest_step(checkpoints) > rung.step:
        checkpoints = logs = folders.checkpoints / rung.name
        trackers = []
    else:
        write_json(folders.resolved, config.model_dump(mode="json"))
    supervisor = UpToStep(config, run.key, checkpoints, logs, rung.step)
    if newest_step(checkpoints) == rung.step:  # and nothing is left for others to do
        processes = nullcontext(Ranks())
    else:
        processes = training_processes(experiment, run, job.asked, logs)
    try:
        with (
            attempt(logs / "attempts.jsonl", logs / "metrics.csv"),
            Mirroring(tracked_run(experiment, run, experiment.root), trackers),
            processes as ranks,
        ):
            supervision = Leading(supervisor) if ranks.count > 1 else supervisor
            train_run(experiment, run, data, supervision, ranks)
    except GoOnLaterError:
        if not supervisor.arrived:
            raise
    return supervisor.policy.eval()


def measure(experiment: Combination, run: Run, rung: Rung, record: Path, job: Job) -> None:
    """Train up to the rung, compute the loss there, and write the record."""
    config = experiment.config
    job.circumstances(run, experiment)  # the code that trains must be committed, too
    circumstances, diff = job.circumstances(rung, experiment)
    remove_leftovers(record.parent)
    data = open_data(experiment)
    store = open_store(store_record(experiment.root, rung.store.name).parent, rung.store.pinned)
    policy_sha256, loss, samples, diverged = None, math.nan, 0, ""
    try:
        policy = train(experiment, run, rung, data, job)
    except DivergedError as error:
        diverged = error.problem
    mode = evaluation_mode(config.training.determinism, experiment.accelerator)
    switches = set_determinism(config.resources.training_threads, mode)
    if not diverged:
        require_fitting(policy, store, tuple(data.seeds), rung.store.dataset)
        policy_sha256 = hash_weights(policy)
        loss, samples = validation_loss(
            policy, store, config.model.chunk_length, config.training.precision
        )
    RungRecord(
        **dict(circumstances),
        key=rung.key,
        identity=rung.identity,
        experiment=experiment.name,
        run=run.key,
        step=rung.step,
        policy_sha256=policy_sha256,
        dataset=rung.store.dataset,
        content=store.content,
        device=str(choose_device(experiment.accelerator)),
        determinism=switches,
        loss=loss,
        samples=samples,
        diverged=diverged,
        files=RungFiles(patch=write_patch(record, diff, experiment.folder)),
        finished=now(),
    ).write(record)


if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"{words.experiment} {words.run}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        rung = experiment.find_rung(run, f"rung-{words.key}")
        checkpoints = experiment.folder / "checkpoints" / run.name
        with exclusive(checkpoints):
            measure(experiment, run, rung, Path(snakemake.output[0]), job)
            shutil.rmtree(checkpoints / rung.name, ignore_errors=True)
