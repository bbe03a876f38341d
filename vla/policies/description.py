"""What is written beside a policy's weights: its family, settings and data spec. Needs no PyTorch."""

from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files.sealed import read_json

SCHEMA = 2


def read_policy_facts(path: Path) -> dict[str, Any]:
    """What `save_policy` wrote beside the weights at `path`, with earlier schemas brought up to date."""
    facts = read_json(path.with_suffix(".json"))
    if facts["schema"] == 1:
        return _upgrade(facts)
    if facts["schema"] != SCHEMA:
        raise UserError(
            f"{path.with_suffix('.json')} has schema {facts['schema']}; this code reads 1 and {SCHEMA}.",
            "Load the policy with the code that trained it.",
        )
    return facts


def _upgrade(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts of schema 1: one class had both heads, and the spec held words instead of sentences."""
    model, spec = dict(facts["model"]), dict(facts["spec"])
    discrete = model.pop("action_head") == "discrete" or model["type"] == "RT2"
    model["type"] = "RT2" if discrete else "BC"
    if not discrete:
        del model["num_bins"]
    # Each word as a sentence gives the same vocabulary.
    spec["sentences"] = spec.pop("vocabulary")["words"]
    return {**facts, "schema": SCHEMA, "model": model, "spec": spec}
