"""Train one policy: one experiment, one seed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vla.data.store import open_store
from vla.files.atomic import write_json
from vla.files.exclusive import exclusive
from vla.monitoring.monitor import read_events
from vla.plan.items import Experiment, Run
from vla.policies.building import count_parameters
from vla.policies.storage import save_policy
from vla.process.determinism import set_determinism
from vla.records.attempts import attempt, gpu_hours
from vla.records.record import write_record
from vla.tracking.mirroring import Mirroring, tracked_run, tracker_names
from vla.training.job import train_run
from vla.training.supervision import Supervisor
from vla.workflow.job import Job, start_job


def train(
    experiment: Experiment,
    run: Run,
    store: Path,
    record: Path,
    job: Job,
    attempts: Callable[[], list[dict[str, Any]]],
) -> None:
    """Train, save the policy, and write the record last; `attempts` gives those up to now."""
    config, root = experiment.config, experiment.root
    switches = set_determinism(config.resources.training_threads, config.training.determinism)
    circumstances = job.circumstances(run, experiment)
    checkpoints = experiment.folder / "checkpoints" / run.name
    logs = experiment.folder / "logs" / run.name
    resolved = record.with_name("config.resolved.json")
    write_json(resolved, config.model_dump(mode="json"))
    prepared = open_store(store)
    policy_file = checkpoints / "policy.safetensors"
    with Mirroring(tracked_run(experiment, run, root), tracker_names(config.tracking)) as trackers:
        supervisor = Supervisor(config, run.key, checkpoints, logs)
        result = train_run(experiment, run, prepared, supervisor)
        description = save_policy(
            result.policy,
            policy_file,
            {
                "key": run.key,
                "seed": run.seed,
                "tasks": list(prepared.tasks),
                "demonstration_seeds": list(prepared.seeds),
            },
        )
        sha256 = description["weights"]["sha256"]
        trackers.facts |= {
            "policy": f"{policy_file.relative_to(root)} sha256:{sha256}",
            "checkpoints": str(checkpoints.relative_to(root)),
            "figures": str(experiment.document("figures").relative_to(root)),
            "final_loss": result.final_loss,
        }
    device = result.policy.device
    write_record(
        record,
        experiment.folder,
        circumstances=circumstances,
        kind="training",
        key=run.key,
        identity=run.identity,
        files=[policy_file, policy_file.with_suffix(".json"), logs / "metrics.csv", resolved],
        facts={
            "experiment": experiment.name,
            "seed": run.seed,
            "dataset": {
                "name": config.data.dataset,
                "version": experiment.dataset.version,
                "content": experiment.store.identity["dataset"],
            },
            "device": device.type,
            "determinism": switches,
            "parameters": count_parameters(result.policy),
            "final_loss": result.final_loss,
            "training_seconds": result.seconds,
            "resumed_from_step": result.resumed_from_step,
            "attempts": attempts(),
            "gpu_hours": gpu_hours(attempts(), device.type),
            "events": read_events(logs / "events.jsonl"),
        },
    )


if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"{words.experiment} {words.run}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        store, record = Path(snakemake.input.store).parent, Path(snakemake.output[0])
        logs = experiment.folder / "logs" / run.name
        with (
            exclusive(experiment.folder / "checkpoints" / run.name),
            attempt(logs / "attempts.jsonl", logs / "metrics.csv") as attempts,
        ):
            train(experiment, run, store, record, job, attempts)
