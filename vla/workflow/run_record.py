"""What a training job leaves: its files, and the record that names them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla.files.clock import now
from vla.files.described import describe_file
from vla.plan.items import Experiment, Run
from vla.policies.building import count_parameters
from vla.records.attempts import Attempt, gpu_hours
from vla.records.circumstances import Circumstances, write_patch
from vla.records.events import read_events
from vla.records.policy import PolicyDescription
from vla.records.run import Dataset, RunFiles, RunRecord
from vla.training.loop import TrainingResult


@dataclass(frozen=True)
class RunFolders:
    """Where a run's files lie. `record`: its run.json."""

    experiment: Experiment
    run: Run
    record: Path
    checkpoints: Path
    logs: Path

    @classmethod
    def of(cls, experiment: Experiment, run: Run, record: Path) -> "RunFolders":
        folders = (experiment.folder / kind / run.name for kind in ("checkpoints", "logs"))
        return cls(experiment, run, record, *folders)

    @property
    def policy(self) -> Path:
        return self.checkpoints / "policy.safetensors"

    @property
    def resolved(self) -> Path:
        return self.record.with_name("config.resolved.json")

    def facts(self, description: PolicyDescription, result: TrainingResult) -> dict[str, Any]:
        """What trackers show of a finished run."""
        root = self.experiment.root
        figures = self.experiment.document("figures")
        return {
            "policy": f"{self.policy.relative_to(root)} sha256:{description.weights.sha256}",
            "checkpoints": str(self.checkpoints.relative_to(root)),
            "figures": str(figures.relative_to(root)),
            "final_loss": result.final_loss,
        }


def record_run(
    folders: RunFolders,
    circumstances: tuple[Circumstances, str],
    switches: dict[str, Any],
    result: TrainingResult,
    attempts: tuple[Attempt, ...],
) -> None:
    """Write a finished run's record. `circumstances`: as `Job.circumstances` gives them; `switches`: as
    `set_determinism` does."""
    experiment, run = folders.experiment, folders.run
    taken, diff = circumstances
    files = {
        "policy": folders.policy,
        "description": folders.policy.with_suffix(".json"),
        "metrics": folders.logs / "metrics.csv",
        "configuration": folders.resolved.absolute(),
    }
    described = {name: describe_file(file, experiment.folder) for name, file in files.items()}
    patch = write_patch(folders.record, diff, experiment.folder)
    processes = experiment.config.resources.training_processes
    finished = RunRecord(
        **dict(taken),
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
        device=experiment.accelerator,
        determinism=switches,
        parameters=count_parameters(result.policy),
        final_loss=result.final_loss,
        training_seconds=result.seconds,
        resumed_from_step=result.resumed_from_step,
        attempts=attempts,
        processes=processes,
        gpu_hours=processes * gpu_hours(attempts, experiment.accelerator),
        events=read_events(folders.logs / "events.jsonl"),
        files=RunFiles(**described, patch=patch),
        finished=now(),
    )
    finished.write(folders.record)
