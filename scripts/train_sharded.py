"""Train one policy whose shards lie on several GPUs: one experiment, one seed."""

from collections.abc import Callable
from pathlib import Path

from vla.files.atomic import write_json
from vla.files.exclusive import exclusive
from vla.plan.items import Experiment, Run
from vla.policies.storage import save_policy
from vla.process.determinism import set_determinism, training_mode
from vla.records.attempts import Attempt, attempt
from vla.tracking.mirroring import Mirroring, tracked_run, tracker_names
from vla.training.job import open_data
from vla.training.sharded.job import train_run
from vla.training.sharded.together import LeadingShards
from vla.workflow.job import Job, start_job
from vla.workflow.run_record import RunFolders, record_run
from vla.workflow.sharded_ranks import sharded_processes


def train(
    experiment: Experiment,
    run: Run,
    record: Path,
    job: Job,
    attempts: Callable[[], tuple[Attempt, ...]],
) -> None:
    """Train, save the policy, and write the record last; `attempts` gives those up to now."""
    config, folders = experiment.config, RunFolders.of(experiment, run, record)
    mode = training_mode(config.training.determinism, experiment.accelerator)
    switches = set_determinism(config.resources.training_threads, mode)
    circumstances = job.circumstances(run, experiment)
    write_json(folders.resolved, config.model_dump(mode="json"))
    data = open_data(experiment)
    tracked = tracked_run(experiment, run, experiment.root)
    with Mirroring(tracked, tracker_names(config.tracking)) as trackers:
        supervision = LeadingShards(config, run.key, folders.checkpoints, folders.logs)
        with sharded_processes(experiment, run, job.asked, folders.logs) as place:
            result = train_run(experiment, run, data, supervision, place)
        facts = {"key": run.key, "seed": run.seed, "tasks": list(data.tasks)}
        facts |= {"demonstration_seeds": list(data.seeds)}
        description = save_policy(result.policy, folders.policy, facts)
        trackers.facts |= folders.facts(description, result)
    record_run(folders, circumstances, switches, result, attempts())


if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"{words.experiment} {words.run}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        logs = experiment.folder / "logs" / run.name
        with (
            exclusive(experiment.folder / "checkpoints" / run.name),
            attempt(logs / "attempts.jsonl", logs / "metrics.csv") as attempts,
        ):
            train(experiment, run, Path(snakemake.output[0]), job, attempts)
