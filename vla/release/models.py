"""What is said of an experiment's models when they are handed on."""

from typing import Any

from vla.files.described import check_file
from vla.files.sealed import read_sealed
from vla.plan.items import Experiment
from vla.policies.description import read_policy_facts
from vla.release.versions import next_version, released_models
from vla.report.readme import readme_context


def describe_models(experiment: Experiment, summary: dict[str, Any]) -> dict[str, Any]:
    """The metadata of the policies of all runs: version, interface, recipe, data, results, files."""
    context = readme_context(experiment, summary)
    policies, facts = [], {}
    for run, record in zip(experiment.runs, context["runs"], strict=True):
        weights, description = (
            next(file for file in record["files"] if file["path"].endswith(name))
            for name in ("policy.safetensors", "policy.json")
        )
        facts = read_policy_facts(check_file(description, experiment.folder))
        policies.append({"seed": run.seed, "run": run.name, "files": [weights, description]})
    config, spec = experiment.config, facts["spec"]
    interface = {
        "cameras": spec["cameras"],
        "image_size": spec["image_size"],
        "state_dim": len(spec["state_mean"]),
        "action_dim": len(spec["action_low"]),
        "chunk_length": config.model.chunk_length,
        "max_words": getattr(config.model, "max_words", None),  # not every family counts words
    }
    dataset = context["runs"][0]["dataset"] | {
        "licence": experiment.dataset.licence,
        "source": experiment.dataset.source,
    }
    recipe = {
        "model": config.model.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "data": config.data.model_dump(mode="json") | {"content": dataset["content"]},
    }
    runs = [run.key for run in experiment.runs]
    released = released_models(experiment.results())
    version, reasons = next_version(released, runs, interface, recipe)
    return {
        "experiment": experiment.name,
        "version": version,
        "reasons": reasons,
        "licence": config.experiment.licence,
        "runs": runs,
        "interface": interface,
        "recipe": recipe,
        "instructions": {task["name"]: task["instructions"] for task in facts["tasks"]},
        "dataset": dataset,
        "parameters": context["runs"][0]["parameters"],
        "evaluation": config.evaluation.model_dump(mode="json"),
        "results": {name: c["overall"] for name, c in summary["conditions"].items()},
        "policies": policies,
    }


def card_context(
    experiment: Experiment, summary: dict[str, Any], models: dict[str, Any]
) -> dict[str, Any]:
    """What the template of the model card shows."""
    return readme_context(experiment, summary) | {"models": models}


def read_models(experiment: Experiment) -> dict[str, Any]:
    """The metadata that `release_models` recorded for the experiment as it is configured."""
    return read_sealed(experiment.document("models", "models.json"))
