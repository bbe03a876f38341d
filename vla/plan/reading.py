"""Read the project's YAML files into checked, complete configurations."""

from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo

from vla.config.complete import ExperimentConfig
from vla.config.data import DataSection
from vla.config.datasets import DatasetEntry
from vla.config.demonstrations import DemonstrationsConfig
from vla.config.evaluation import DEFAULT_SIMULATOR, SimulatorSection
from vla.config.imported import ImportedExperimentConfig, ImportedModel
from vla.config.model import DEFAULT_FAMILY, ModelSection
from vla.errors import UserError, nearest
from vla.files.yaml import read_yaml
from vla.plan.plugins import chosen_plugin

Model = TypeVar("Model", bound=BaseModel)


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


def experiment_names(root: Path) -> list[str]:
    """Names of the experiment folders, listed in config/config.yaml or not."""
    return sorted(path.parent.name for path in root.glob("experiments/*/config.yaml"))


def load_experiment(path: Path) -> ExperimentConfig:
    content = read_yaml(path)
    return validate(experiment_model(content, path), content, path)


def experiment_model(content: dict[str, Any], source: object = "") -> type[ExperimentConfig]:
    """The model of an experiment's configuration, with the settings of the policy family and of the
    simulator that it names. `source`: where `content` comes from, for the `UserError`."""
    key = "model.type"
    try:
        family = model_settings(content.get("model"))
        key = "evaluation.simulator.type"
        simulator = simulator_settings(content.get("evaluation"))
    except UserError as error:
        raise UserError(f"{source}: {key}: {error.problem}", error.way_out) from None
    whole = ImportedExperimentConfig if issubclass(family, ImportedModel) else ExperimentConfig
    return whole[family, simulator]


def load_demonstrations(path: Path) -> DemonstrationsConfig:
    content = read_yaml(path)
    return validate(DemonstrationsConfig[simulator_settings(content)], content, path)


def model_settings(section: object) -> type[ModelSection]:
    """The settings' model of the policy family that a section names in `type`.

    A section that is no mapping is refused later, with all other mistakes.
    """
    name = section.get("type") if isinstance(section, dict) else None
    name = name if isinstance(name, str) else DEFAULT_FAMILY
    return chosen_plugin("policies", name).load("config").Config


def simulator_settings(section: object) -> type[SimulatorSection]:
    """The settings' model of the simulator that a section names in `simulator.type`.

    A section that is no mapping is refused later, with all other mistakes.
    """
    simulator = section.get("simulator") if isinstance(section, dict) else None
    name = simulator.get("type") if isinstance(simulator, dict) else None
    name = name if isinstance(name, str) else DEFAULT_SIMULATOR
    return chosen_plugin("simulators", name).load("config").Config


def load_registry(root: Path) -> dict[str, DatasetEntry]:
    path = root / "config/datasets.yaml"
    content = read_yaml(path)
    return {name: validate(DatasetEntry, entry, path) for name, entry in content.items()}


def find_dataset(registry: dict[str, DatasetEntry], name: str, source: Path) -> DatasetEntry:
    """The registry's entry of that name; an unknown name is a `UserError`."""
    if name not in registry:
        raise UserError(
            f"{source}: data: nobody registered {name!r}; {nearest(name, list(registry))}",
            "Register it in config/datasets.yaml, or use a registered name.",
        )
    return registry[name]


def shares_of(data: DataSection) -> dict[str, float]:
    """The share of the samples that comes from each dataset, by name, in the order of names.

    Empty where a policy is imported: nothing here knows what it was trained on.
    """
    weights = data.mixture or ({data.dataset: 1.0} if data.dataset else {})
    return {name: weights[name] / sum(weights.values()) for name in sorted(weights)}


def datasets_of(config: ExperimentConfig) -> list[str]:
    """Names of the datasets that an experiment trains on, or chooses by."""
    chosen_by = [config.sweep.validation] if config.sweep else []
    return [*shares_of(config.data), *chosen_by]


def sections_in(annotation: Any, tag: str = "") -> list[tuple[str, type[BaseModel]]]:
    """The sections that a field may hold, such as tuple[Risk, ...] or the alternatives of a union,
    each after its tag where alternatives have one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(tag, annotation)]
    metadata = getattr(annotation, "__metadata__", ())
    tag = next((item.tag for item in metadata if isinstance(item, Tag)), tag)
    return [found for inner in get_args(annotation) for found in sections_in(inner, tag)]


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
    """Names of the fields of the section at `location`, in which tags of alternatives stand too."""
    sections = [("", model)]
    for part in location:
        if chosen := [pair for pair in sections if pair[0] == part]:
            sections = chosen
        elif isinstance(part, str) and (field := _fields(sections).get(part)):
            sections = sections_in(field.annotation) or sections
    return list(_fields(sections))


def _fields(sections: list[tuple[str, type[BaseModel]]]) -> dict[str, FieldInfo]:
    return {name: field for _, model in sections for name, field in model.model_fields.items()}
