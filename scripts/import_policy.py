"""Take a policy that others trained as it comes: one run without training."""

import logging
import math
from collections.abc import Callable
from pathlib import Path

from vla.errors import UserError
from vla.evaluation.fitting import asked_tasks, check_fit
from vla.files.atomic import write_json
from vla.files.clock import now
from vla.files.described import describe_file
from vla.files.exclusive import exclusive
from vla.plan.items import Experiment, Run
from vla.plugins import find_plugin
from vla.policies.building import count_parameters
from vla.policies.protocol import Policy
from vla.policies.storage import save_policy
from vla.process.determinism import evaluation_mode, set_determinism
from vla.records.attempts import Attempt, attempt
from vla.records.circumstances import write_patch
from vla.records.policy import Imported
from vla.records.run import RunFiles, RunRecord
from vla.tracking.metrics import MetricsLog
from vla.weights.pinned import PinnedWeights
from vla.weights.verification import require_verified
from vla.workflow.job import Job, start_job


def import_policy(
    experiment: Experiment,
    run: Run,
    record: Path,
    job: Job,
    attempts: Callable[[], tuple[Attempt, ...]],
) -> None:
    """Read and try the checkpoint, save it as a policy of ours, and write the record last."""
    config = experiment.config
    mode = evaluation_mode(config.training.determinism, experiment.accelerator)
    switches = set_determinism(threads=1, mode=mode)
    circumstances, diff = job.circumstances(run, experiment)
    (weights,) = experiment.weights
    require_verified(weights)
    family = find_plugin("policies", config.model.type).load("policy")
    policy = family.load(config.model, weights.folder)
    parameters = _count(policy, config.model.num_params)
    check_fit(policy, config.model, config.evaluation)
    there, here = getattr(policy, "execute_steps", None), config.evaluation.execute_steps
    if there not in (None, here):
        logging.getLogger("vla").warning(
            "Its own configuration executes %d actions of a chunk before it looks again; "
            "evaluation.execute_steps is %d.",
            there,
            here,
        )
    resolved = record.with_name("config.resolved.json")
    write_json(resolved, config.model_dump(mode="json"))
    policy_file = experiment.folder / "checkpoints" / run.name / "policy.safetensors"
    facts = {
        "key": run.key,
        "seed": run.seed,
        "tasks": asked_tasks(config.model),
        "demonstration_seeds": (),
        "imported": _origin(policy, weights),
    }
    save_policy(policy, policy_file, facts)
    files = {
        "policy": policy_file,
        "description": policy_file.with_suffix(".json"),
        "metrics": _no_metrics(experiment.folder / "logs" / run.name),
        "configuration": resolved.absolute(),
    }
    described = {name: describe_file(file, experiment.folder) for name, file in files.items()}
    finished = RunRecord(
        **dict(circumstances),
        key=run.key,
        identity=run.identity,
        experiment=experiment.name,
        seed=run.seed,
        datasets=(),
        device=policy.device.type,
        determinism=switches,
        parameters=parameters,
        final_loss=math.nan,
        training_seconds=0.0,
        resumed_from_step=0,
        attempts=attempts(),
        gpu_hours=0.0,
        files=RunFiles(**described, patch=write_patch(record, diff, experiment.folder)),
        finished=now(),
    )
    finished.write(record)


def _count(policy: Policy, stated: int | None) -> int:
    count = count_parameters(policy)
    if stated and abs(count - stated) > 0.1 * stated:
        raise UserError(
            f"model.num_params states {stated / 1e6:.2f}M parameters, but this policy has "
            f"{count / 1e6:.2f}M.",
            "Correct num_params, or name the checkpoint that you mean.",
        )
    return count


def _origin(policy: Policy, weights: PinnedWeights) -> Imported:
    return Imported(
        weights=weights.name,
        source=weights.source,
        licence=weights.entry.licence,
        files={file.path: file.sha256 for file in weights.files},
        execute_steps=getattr(policy, "execute_steps", None),
    )


def _no_metrics(logs: Path) -> Path:
    """A metrics file as a run has it, whose one row, step 0, has no loss: nothing was trained."""
    log = MetricsLog(logs)
    log.log({"step": 0, "seconds": 0.0})
    log.close()
    return log.path


if __name__ == "__main__":
    words = snakemake.wildcards
    with start_job(snakemake, f"import {words.experiment}") as job:
        experiment = job.plan.find_experiment(words.experiment)
        run = experiment.find_run(words.run)
        logs = experiment.folder / "logs" / run.name
        with (
            exclusive(experiment.folder / "checkpoints" / run.name),
            attempt(logs / "attempts.jsonl", logs / "metrics.csv") as attempts,
        ):
            import_policy(experiment, run, Path(snakemake.output[0]), job, attempts)
