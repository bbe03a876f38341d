"""`models.json`: an experiment's policies as models to hand on."""

from typing import Any

from vla.files.described import File
from vla.records.base import Content, Record
from vla.records.part import Part
from vla.records.policy import rename_family
from vla.records.rates import Rate
from vla.records.run import Dataset


class Interface(Part):
    """What goes in and comes out of a policy."""

    cameras: tuple[str, ...]
    image_size: int
    """Height and width (pixels)."""
    state_dim: int
    action_dim: int
    chunk_length: int
    """Control steps that one action chunk holds."""
    max_words: int | None
    """Longest instruction; null where the family has no such limit."""


class Recipe(Part):
    """What a policy was made by, as configuration sections."""

    model: dict[str, Any]
    training: dict[str, Any]
    data: dict[str, Any]
    """With `contents`, the content hash of each dataset."""


class LicensedDataset(Dataset):
    """A dataset with where it comes from."""

    licence: str
    source: str


class ReleasedPolicy(Part):
    """The policy of one training seed."""

    seed: int
    run: str
    """Folder of the run in results/."""
    weights: File
    description: File


def _named(content: Content) -> Content:
    """Version 1 listed each policy's two files, and had one dataset."""
    content["datasets"] = [content.pop("dataset")]
    data = dict(content["recipe"]["data"])
    data["contents"] = [data.pop("content")]  # as today's, that versions follow on
    content["recipe"] = content["recipe"] | {"data": data}
    policies = []
    for policy in content["policies"]:
        weights, description = policy["files"]
        kept = {name: policy[name] for name in ("seed", "run")}
        policies.append(kept | {"weights": weights, "description": description})
    return content | {"policies": policies}


def _tokens_are_rt1(content: Content) -> Content:
    """Version 2 called the small token policy RT2: the same recipe, which no version follows on."""
    recipe = content["recipe"]
    return content | {"recipe": recipe | {"model": rename_family(recipe["model"])}}


class ModelsRecord(Record):
    """The policies of an experiment under one semantic version."""

    KIND = "models"
    VERSION = 3
    UPGRADES = (_named, _tokens_are_rt1)
    LEVELS = 2

    experiment: str
    """Folder in experiments/."""
    version: str
    """Semantic version (semver.org)."""
    reasons: tuple[str, ...]
    """Why this version follows the one before."""
    licence: str
    """SPDX identifier; empty where none is stated."""
    runs: tuple[str, ...]
    """Keys of the training runs."""
    interface: Interface
    recipe: Recipe
    instructions: dict[str, tuple[str, ...]]
    """Task -> sentences that the policies were trained on."""
    datasets: tuple[LicensedDataset, ...]
    parameters: int
    """Number of parameters of one policy."""
    evaluation: dict[str, Any]
    """The `evaluation` section."""
    results: dict[str, Rate]
    """By condition, over the policies of all seeds."""
    policies: tuple[ReleasedPolicy, ...]
