"""TensorBoard: event files beside the metrics file, scalars in double precision."""

import json
import time
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.metadata import create_summary_metadata
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from vla.tracking.tracker import Row, TrackedRun, Tracker


class TensorBoardTracker(Tracker):
    """Each attempt writes the whole run into a new event file and removes the older ones: nobody can
    tell what an attempt that was killed had flushed."""

    def start(self, run: TrackedRun) -> int:
        folder = run.logs / "tensorboard"
        self.older = list(folder.glob("events.out.*"))
        self.writer = EventFileWriter(str(folder))
        # A TensorBoard that has read an older file drops its points when it reads this.
        self._add(Event(step=0, session_log=SessionLog(status=SessionLog.START)))
        told = {"tags": run.tags, "parameters": run.parameters}
        self._add_text("run", run.description)
        self._add_text("configuration", f"```json\n{json.dumps(told, indent=2)}\n```")
        return 0

    def log(self, rows: list[Row]) -> None:
        for row in rows:
            values = [
                Summary.Value(
                    tag=f"train/{name}",
                    tensor=make_tensor_proto(np.float64(value)),
                    metadata=create_summary_metadata(display_name="", description=""),
                )
                for name, value in row.items()
                if name != "step"
            ]
            self._add(Event(step=int(row["step"]), summary=Summary(value=values)))
        self.writer.flush()
        while self.older:
            self.older.pop().unlink()

    def finish(self, status: str, facts: dict[str, Any]) -> None:
        lines = [f"- {name}: {value}" for name, value in {"status": status, **facts}.items()]
        self._add_text("outcome", "\n".join(lines))
        self.writer.close()

    def _add(self, event: Event) -> None:
        event.wall_time = time.time()
        self.writer.add_event(event)

    def _add_text(self, tag: str, text: str) -> None:
        self._add(Event(step=0, summary=text_pb(tag, text)))
