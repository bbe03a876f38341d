"""`policy.json`: what is needed to use a policy's weights."""

from typing import Any

from pydantic import Field

from vla.files.described import File
from vla.records.base import Content, Record
from vla.records.part import Part


class TaskSentences(Part):
    """One task with its sentences."""

    name: str
    """The task's name in the simulator."""
    instructions: tuple[str, ...]
    """Sentences of the training data."""
    held_out: tuple[str, ...]
    """Paraphrases that training does not see."""


class Imported(Part):
    """Where a policy comes from that was not trained here."""

    weights: str
    """Entry in config/weights.yaml."""
    source: str
    """Folder, or repository and revision."""
    licence: str
    files: dict[str, str]
    """The checkpoint's files -> SHA-256."""
    execute_steps: int | None
    """Actions of a chunk that are executed where it comes from (control steps); null where it does not say."""


def _of_a_family(content: Content) -> Content:
    """Version 1 had one class with both heads, and a vocabulary in place of sentences."""
    model, spec = dict(content["model"]), dict(content["spec"])
    discrete = model.pop("action_head") == "discrete" or model["type"] == "RT2"
    model["type"] = "RT2" if discrete else "BC"
    if not discrete:
        del model["num_bins"]
    # Each word as a sentence gives the same vocabulary.
    spec["sentences"] = spec.pop("vocabulary")["words"]
    return content | {"model": model, "spec": spec}


def _tokens_are_rt1(content: Content) -> Content:
    """Version 2 called the small token policy RT2, which is a vision-language model today."""
    return content | {"model": rename_family(content["model"])}


def rename_family(model: Content) -> Content:
    """A `model` section of when the small token policy was called RT2."""
    return model | {"type": "RT1"} if model["type"] == "RT2" else model


class PolicyDescription(Record):
    """A trained policy: its architecture, its data, its weights."""

    KIND = "policy"
    VERSION = 3
    UPGRADES = (_of_a_family, _tokens_are_rt1)
    SEALED_SINCE = 2

    key: str
    """Of the run that trained or imported it."""
    seed: int
    model: dict[str, Any]
    """The `model` section."""
    spec: dict[str, Any]
    """What the data fixes about the policy: cameras, sizes, sentences, ranges."""
    assets: dict[str, str] = Field(default_factory=dict)
    """Text files that came with pretrained parts, such as the tokenizer: name -> content."""
    tasks: tuple[TaskSentences, ...]
    """Tasks of the training data."""
    demonstration_seeds: tuple[int, ...]
    """Seeds of the demonstrations' initial states: no evaluation may use them."""
    weights: File
    """Relative to the record's own folder."""
    imported: Imported | None = None
    """null for a policy that was trained here."""
