"""Read an experiment's YAML file into a checked, complete configuration."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from vla.config.base import Section
from vla.config.data import DataSection
from vla.config.evaluation import EvaluationSection
from vla.config.experiment import ExperimentSection
from vla.config.model import ModelSection
from vla.config.monitoring import MonitoringSection
from vla.config.operation import CheckpointsSection, ResourcesSection, TrackingSection
from vla.config.training import TrainingSection
from vla.errors import UserError

Model = TypeVar("Model", bound=BaseModel)


class ExperimentConfig(Section):
    """Everything one YAML file says about an experiment."""

    experiment: ExperimentSection
    model: ModelSection
    training: TrainingSection
    data: DataSection
    evaluation: EvaluationSection = EvaluationSection()
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


class StrictLoader(yaml.SafeLoader):
    """YAML in which no key may stand twice."""


def _mapping_without_duplicates(loader: StrictLoader, node: yaml.MappingNode) -> dict:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.YAMLError(f"key {key!r} stands twice, line {node.start_mark.line + 1} on")
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; what cannot be read is a `UserError` that names file and line."""
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506
    except FileNotFoundError:
        raise UserError(f"{path} is missing.", "Write it, or correct its name.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {error}", "Correct the file.") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no mapping of keys to values.", "Correct the file.")
    return content


def validate(model: type[Model], content: dict[str, Any], source: Path) -> Model:
    """Check `content` against `model`; every mistake is listed in one `UserError`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [_explain(model, content, detail) for detail in error.errors()]
        raise UserError(
            f"{source} has {len(lines)} mistake{'s' if len(lines) > 1 else ''}:\n"
            + "\n".join(f"  {line}" for line in lines),
            "Correct the file; config/README.md documents every key.",
        ) from None


def load_experiment(path: Path) -> ExperimentConfig:
    return validate(ExperimentConfig, read_yaml(path), path)


def nearest(name: str, valid: Sequence[str]) -> str:
    """'did you mean X?' or the list of valid names."""
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"valid are: {', '.join(sorted(valid))}"


def _explain(model: type[BaseModel], content: Any, detail: Any) -> str:
    location = [str(part) for part in detail["loc"]]
    where = ".".join(location) or "the file as a whole"
    value = detail["input"]
    if detail["type"] == "extra_forbidden":
        valid = _fields_at(model, detail["loc"][:-1])
        return f"{where}: unknown key; {nearest(location[-1], valid)}"
    if detail["type"] == "missing":
        return f"{where}: missing"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "less_than_equal" and _is_percentage(location, value):
        message = f"is a fraction between 0 and 1; write {value / 100:g} for {value:g} %"
    shown = "" if isinstance(value, dict) else f" (found {value!r})"
    return f"{where}: {message[0].lower() + message[1:]}{shown}"


def _is_percentage(location: list[str], value: Any) -> bool:
    return "rate" in location[-1] and isinstance(value, int | float) and 1 < value <= 100


def _fields_at(model: type[BaseModel], location: tuple) -> list[str]:
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            # tuple[Risk, ...] -> Risk, dict[str, TaskInstructions] -> TaskInstructions
            for inner in (annotation, *get_args(annotation)):
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    model = inner
    return list(model.model_fields)
