"""`policy.json`: what is needed to use a policy's weights."""

from typing import Any

from vla.files.described import File
from vla.records.base import Record, same_fields
from vla.records.part import Part


class TaskSentences(Part):
    """One task with its sentences."""

    name: str
    """The task's name in the simulator."""
    instructions: tuple[str, ...]
    """Sentences of the training data."""
    held_out: tuple[str, ...]
    """Paraphrases that training does not see."""


class PolicyDescription(Record):
    """A trained policy: its architecture, its data, its weights."""

    KIND = "policy"
    VERSION = 2
    UPGRADES = (same_fields,)
    SEALED_SINCE = 2

    key: str
    """Of the run that trained it."""
    seed: int
    model: dict[str, Any]
    """The `model` section."""
    spec: dict[str, Any]
    """What the data fixes about the policy: cameras, sizes, sentences, ranges."""
    tasks: tuple[TaskSentences, ...]
    """Tasks of the training data."""
    demonstration_seeds: tuple[int, ...]
    """Seeds of the demonstrations' initial states: no evaluation may use them."""
    weights: File
    """Relative to the record's own folder."""
