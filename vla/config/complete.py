"""Everything one YAML file says about an experiment."""

from typing import Generic

from pydantic import Field, model_validator

from vla.config.base import Section
from vla.config.data import DataSection
from vla.config.evaluation import EvaluationSection, Simulated
from vla.config.experiment import ExperimentSection
from vla.config.model import Family
from vla.config.monitoring import MonitoringSection
from vla.config.operation import CheckpointsSection, ResourcesSection, TrackingSection
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

    @model_validator(mode="after")
    def _chunk_covers_execution(self) -> "ExperimentConfig":
        if self.evaluation.execute_steps > self.model.chunk_length:
            raise ValueError(
                f"evaluation.execute_steps ({self.evaluation.execute_steps}) exceeds "
                f"model.chunk_length ({self.model.chunk_length})"
            )
        return self
