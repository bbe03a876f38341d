"""Train one policy: one experiment, one seed."""

from collections.abc import Callable
from pathlib import Path

from vla.files.atomic import write_json
from vla.files.clock import now
from vla.files.described import describe_file
from vla.files.exclusive import exclusive
from vla.plan.items import Experiment, Run
from vla.policies.building import count_parameters
from vla.policies.storage import save_policy
from vla.process.determinism import set_determinism, training_mode
from vla.records.attempts import Attempt, attempt, gpu_hours
from vla.records.circumstances import write_patch
from vla.records.events import read_events
from vla.records.run import Dataset, RunFiles, RunRecord
from vla.tracking.mirroring import Mirroring, tracked_run, tracker_names
from vla.training.job import open_data, train_run
from vla.training.supervision import Supervisor
from vla.training.together import Leading
from vla.workflow.job import Job, start_job
from vla.workflow.ranks import training_processes


def train(
    experiment: Experiment,
    run: Run,
    record: Path,
    job: Job,
    attempts: Callable[[], tuple[Attempt, ...]],
) -> None:
    """Train, save the policy, and write the record last; `attempts` gives those up to now."""
    config, root = experiment.config, experiment.root
    mode = training_mode(config.training.determinism, experiment.accelerator)
    switches = set_determinism(config.resources.training_threads, mode)
    circumstances, diff = job.circumstances(run, experiment)
    checkpoints = experiment.folder / "checkpoints" / run.name
    logs = experiment.folder / "logs" / run.name
    resolved = record.with_name("config.resolved.json")
    write_json(resolved, config.model_dump(mode="json"))
    data = open_data(experiment)
    policy_file = checkpoints / "policy.safetensors"
    with Mirroring(tracked_run(experiment, run, root), tracker_names(config.tracking)) as trackers:
        supervisor = Supervisor(config, run.key, checkpoints, logs)
        with training_processes(experiment, run, job.asked, logs) as ranks:
            supervision = Leading(supervisor) if ranks.count > 1 else supervisor
            result = train_run(experiment, run, data, supervision, ranks)
        description = save_policy(
            result.policy,
            policy_file,
            {
                "key": run.key,
                "seed": run.seed,
                "tasks": list(data.tasks),
                "demonstration_seeds": list(data.seeds),
            },
        )
        sha256 = description.weights.sha256
        trackers.facts |= {
            "policy": f"{policy_file.relative_to(root)} sha256:{sha256}",
            "checkpoints": str(checkpoints.relative_to(root)),
            "figures": str(experiment.document("figures").relative_to(root)),
            "final_loss": result.final_loss,
        }
    device = result.policy.device.type
    files = {
        "policy": policy_file,
        "description": policy_file.with_suffix(".json"),
        "metrics": logs / "metrics.csv",
        "configuration": resolved.absolute(),
    }
    described = {name: describe_file(file, experiment.folder) for name, file in files.items()}
    finished = RunRecord(
        **dict(circumstances),
        key=run.key,
        identity=run.identity,
        experiment=experiment.name,
        seed=run.seed,
        datasets=tuple(
            Dataset(
                name=store.dataset,
                version=store.entry.version,
                content=store.identity["dataset"],
            )
            for store in experiment.stores
        ),
        device=device,
        determinism=switches,
        parameters=count_parameters(result.policy),
        final_loss=result.final_loss,
        training_seconds=result.seconds,
        resumed_from_step=result.resumed_from_step,
        attempts=attempts(),
        processes=config.resources.training_processes,
        gpu_hours=config.resources.training_processes * gpu_hours(attempts(), device),
        events=read_events(logs / "events.jsonl"),
        files=RunFiles(**described, patch=write_patch(record, diff, experiment.folder)),
        finished=now(),
    )
    finished.write(record)


if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"{words.experiment} {words.run}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        record = Path(snakemake.output[0])
        logs = experiment.folder / "logs" / run.name
        with (
            exclusive(experiment.folder / "checkpoints" / run.name),
            attempt(logs / "attempts.jsonl", logs / "metrics.csv") as attempts,
        ):
            train(experiment, run, record, job, attempts)
