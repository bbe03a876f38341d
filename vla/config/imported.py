"""The sections of an experiment whose policy others trained: nothing is trained here."""

from typing import Annotated, Any, ClassVar, Generic, Literal

from pydantic import Field, model_validator

from vla.config.base import Section
from vla.config.complete import ExperimentConfig
from vla.config.evaluation import Simulated
from vla.config.model import Family, ModelSection

Sentences = Annotated[tuple[str, ...], Field(min_length=1)]


class ImportedModel(ModelSection):
    """A policy that others trained, taken as it comes. Each family of such extends it."""

    weights: Annotated[str, Field(min_length=1, json_schema_extra={"registry": "weights"})]
    """The checkpoint: its name in `config/weights.yaml`, where its files are pinned."""
    cameras: dict[str, str] = Field(default={})
    """The checkpoint's name of a camera (`observation.images.top`) -> the simulator's; by default the last word of it (`top`)."""
    tasks: dict[str, Sentences] = Field(min_length=1)
    """The simulator's task -> sentences in which the policy is asked for it, in turn. Which it was trained on, nobody here can know."""


class NotTrained(Section):
    """In place of `training`: only how evaluations compute. `num_steps` and the like are for those who count."""

    determinism: Literal["portable", "strict"] = "portable"
    """`portable` repeats bit for bit on every x86-64 processor with AVX2 (on a GPU it is `strict`)."""

    num_steps: ClassVar[int] = 0
    batch_size: ClassVar[int] = 0
    micro_batches: ClassVar[int] = 1
    precision: ClassVar[str] = "fp32"

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_trained(cls, content: Any) -> Any:
        if isinstance(content, dict) and set(content) - {"determinism"}:
            raise ValueError(
                "this policy is taken as it comes: leave `training` out, or set determinism alone"
            )
        return content


class NoData(Section):
    """In place of `data`: nothing here knows what the policy was trained on."""

    dataset: ClassVar[None] = None
    mixture: ClassVar[None] = None
    cameras: ClassVar[tuple[str, ...]] = ()
    augmentation: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _no_data_is_read(cls, content: Any) -> Any:
        if content:
            raise ValueError(
                "this policy is taken as it comes: leave `data` out; model.cameras and model.tasks say "
                "what it sees and is asked for"
            )
        return content


class ImportedExperimentConfig(ExperimentConfig[Family, Simulated], Generic[Family, Simulated]):
    """Everything one YAML file says about an experiment that evaluates a policy of others."""

    training: NotTrained = NotTrained()
    data: NoData = NoData()

    @model_validator(mode="after")
    def _nothing_of_a_training(self) -> "ImportedExperimentConfig":
        if "seed" in self.experiment.model_fields_set:
            raise ValueError(
                "experiment.seed is that of a training here, and this policy is taken as it comes: "
                "leave it out (evaluation.first_seed chooses the episodes)"
            )
        if self.sweep:
            raise ValueError(
                "a sweep tries hyperparameters of training, and this policy is taken as it comes: "
                "leave `sweep` out"
            )
        return self
