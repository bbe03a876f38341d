"""Everything one YAML file says about an experiment."""

from typing import Generic

from pydantic import Field, model_validator

from vla.config.base import Section
from vla.config.data import DataSection
from vla.config.evaluation import EvaluationSection, Simulated
from vla.config.experiment import ExperimentSection
from vla.config.footprint import FootprintSection
from vla.config.model import Family
from vla.config.monitoring import MonitoringSection
from vla.config.operation import CheckpointsSection, ResourcesSection, TrackingSection
from vla.config.outcome import DifferenceClaim
from vla.config.sweep import SweepSection
from vla.config.training import TrainingSection


class ExperimentConfig(Section, Generic[Family, Simulated]):
    """Everything one YAML file says about an experiment."""

    experiment: ExperimentSection
    model: Family
    training: TrainingSection
    data: DataSection
    evaluation: EvaluationSection[Simulated] = Field(default={}, validate_default=True)
    tracking: TrackingSection = TrackingSection()
    monitoring: MonitoringSection = MonitoringSection()
    checkpoints: CheckpointsSection = CheckpointsSection()
    resources: ResourcesSection = ResourcesSection()
    sweep: SweepSection | None = None
    footprint: FootprintSection | None = None

    @model_validator(mode="after")
    def _chunk_covers_execution(self) -> "ExperimentConfig":
        if self.evaluation.execute_steps > self.model.chunk_length:
            raise ValueError(
                f"evaluation.execute_steps ({self.evaluation.execute_steps}) exceeds "
                f"model.chunk_length ({self.model.chunk_length})"
            )
        return self

    @model_validator(mode="after")
    def _every_process_has_a_part(self) -> "ExperimentConfig":
        if self.resources.training_processes > self.training.micro_batches:
            raise ValueError(
                f"resources.training_processes ({self.resources.training_processes}) exceeds "
                f"training.micro_batches ({self.training.micro_batches})"
            )
        return self

    @model_validator(mode="after")
    def _nodes_share_a_policy(self) -> "ExperimentConfig":
        if self.resources.nodes > 1 and self.training.sharding == "none":
            raise ValueError(
                f"resources.nodes ({self.resources.nodes}) needs training.sharding: fsdp2"
            )
        return self

    @model_validator(mode="after")
    def _claims_are_about_what_is_evaluated(self) -> "ExperimentConfig":
        conditions, tasks = self.evaluation.conditions, self.evaluation.tasks
        for number, finding in enumerate(self.experiment.outcome.findings):
            claim, where = finding.claim, f"experiment.outcome.findings.{number}.claim"
            if claim is None:
                continue
            named = [claim.condition, *([claim.than] if isinstance(claim, DifferenceClaim) else [])]
            for condition in named:
                if condition not in conditions:
                    raise ValueError(
                        f"{where}: {condition!r} is not evaluated; evaluation.conditions are: "
                        + ", ".join(conditions)
                    )
            if claim.task is not None and tasks is not None and claim.task not in tasks:
                raise ValueError(
                    f"{where}: {claim.task!r} is not evaluated; evaluation.tasks are: "
                    + ", ".join(tasks)
                )
        return self
