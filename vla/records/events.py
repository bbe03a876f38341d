"""Anomalies that were noticed while a run trained."""

import json
from pathlib import Path

from vla.records.part import Number, Part


class Event(Part):
    """One anomaly."""

    kind: str
    """As in `monitoring`, such as `loss_spike`."""
    step: int
    value: Number
    """What was found."""
    threshold: Number
    """What it was held against."""
    action: str
    """What the configuration asked for: `warn`, `save_and_stop` or `stop`."""
    checkpoint: int | None
    """Step of the last checkpoint that a later, healthy row of metrics proves good; null without one."""


def append_events(path: Path, events: list[Event]) -> None:
    """Add events to a run's `events.jsonl`."""
    with open(path, "a", encoding="utf-8") as stream:
        stream.writelines(f"{event.model_dump_json()}\n" for event in events)


def read_events(path: Path) -> tuple[Event, ...]:
    """Events of a run, in order; a line that was cut off is left out."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            content = json.loads(line)
        except json.JSONDecodeError:
            continue
        events.append(Event.model_validate(content))
    return tuple(events)
