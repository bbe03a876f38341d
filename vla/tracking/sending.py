"""Send trackers what they have missed, once they are back."""

from dataclasses import dataclass
from pathlib import Path

from vla.tracking.mirror import Guarded
from vla.tracking.unsent import read_unsent, tracking_lock, write_unsent


@dataclass(frozen=True)
class Sent:
    """What came of it, for one run: each tracker and its problem, None where it now holds everything.

    `busy`: the run goes on, and tells its trackers itself.
    """

    run: str
    trackers: dict[str, str | None]
    busy: bool = False


def send(path: Path, root: Path) -> Sent:
    """Send what the note at `path` says; it goes away when all trackers have everything."""
    label = f"{path.parents[2].name} {path.parent.name}"
    try:
        with tracking_lock(path.parent, wait=False):
            run, record = read_unsent(path, root)
            trackers = [Guarded(name, run, quiet=True) for name in record.trackers]
            for tracker in trackers:
                tracker.finish(record.status, record.facts)
            lacking = [tracker.name for tracker in trackers if tracker.problem]
            write_unsent(run, lacking, record.status, record.facts)
    except BlockingIOError:
        return Sent(label, {}, busy=True)
    return Sent(label, {tracker.name: tracker.problem for tracker in trackers})
