"""What watches over a training run: checkpoints, metrics, anomalies, progress, requests to stop.

None of it decides a weight, so none of it is in a key.
"""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import torch

from vla.config.complete import ExperimentConfig
from vla.errors import GoOnLaterError, UserError
from vla.monitoring.descriptions import describe_event, way_out
from vla.monitoring.usage import Usage
from vla.policies.protocol import Policy
from vla.process.progress import Progress
from vla.process.signals import StopRequest
from vla.records.events import Event, read_events
from vla.training.checkpoint import Checkpoints
from vla.training.loop import Step
from vla.training.rows import MetricRows

DIVERGED = (
    "not_finite",
    "divergence",
    "gradient_explosion",
)  # anomalies that more steps do not mend


class DivergedError(UserError):
    """Training went wrong, by its loss or its gradient."""


class Supervisor:
    """The `Supervision` of a run of the workflow, used once.

    `checkpoints`, `logs`: the run's own folders; `key`: names whose checkpoints these are; `kind`: of
    checkpoints.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        key: str,
        checkpoints: Path,
        logs: Path,
        kind: type[Checkpoints] = Checkpoints,
    ):
        self.config, self.key, self.folder, self.logs = config, key, checkpoints, logs
        self._kind = kind

    def __enter__(self) -> "Supervisor":
        self._open = ExitStack()
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def resume(self, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
        """Load the newest sound checkpoint, if there is one; returns its step, or 0.

        `UserError` or `OSError` when no checkpoint can be written here: before an hour is spent.
        """
        self._policy, self._optimizer = policy, optimizer
        checkpoints = self._kind(self.folder, self.key, self.config.checkpoints)
        self._checkpoints = self._open.enter_context(closing(checkpoints))
        first, since_row = checkpoints.resume(policy, optimizer)
        if not checkpoints.steps():
            checkpoints.save(0, {}, None, policy, optimizer)
        usage = Usage(self.folder.parent, cuda=policy.device.type == "cuda")
        rows = MetricRows(self.config, self.logs, usage, first, since_row)
        self._rows = self._open.enter_context(closing(rows))
        for event in read_events(self.logs / "events.jsonl"):
            checkpoints.pin(event.checkpoint)
        self._progress = Progress("train", self.config.training.num_steps, "step", done=first)
        self._stop = self._open.enter_context(StopRequest())
        return first

    def ask_to_stop(self, signal: str) -> None:
        """As that signal would, had it come to this process."""
        self._stop.signal_name = self._stop.signal_name or signal

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Measure how long training waits for a batch."""
        asked = time.monotonic()
        yield
        self._rows.waited += time.monotonic() - asked

    def after_step(self, step: Step) -> None:
        """Report one step, save when it is due, and end training when it must end.

        Raises `GoOnLaterError` after a signal, once the state is saved, and `UserError` at an
        anomaly that `monitoring` stops for or when there is no finite state to save.
        """
        last = step.done == self.config.training.num_steps
        self._progress.update(loss=step.loss)
        # Read once: a signal that comes during the checks below is acted on after the next step.
        signal = None if last else self._stop.signal_name
        due = step.done % self.config.checkpoints.save_every == 0
        saving = not last and (due or signal is not None)
        # A state that cannot be saved is looked at now, not when the next row is due.
        anomaly = self._look_at(step, at_once=saving and not _is_finite(step))
        if anomaly and anomaly.action == "stop":
            raise self._stopped(anomaly)
        self._checkpoints.raise_errors()
        if saving or (anomaly and not last):
            self._save(step)
        if anomaly:
            self._checkpoints.wait()
            raise self._stopped(anomaly)
        if signal:
            self._checkpoints.wait()
            raise GoOnLaterError(
                f"{signal}: stopped after step {step.done} of {self.config.training.num_steps}, saved."
            )

    def finish(self) -> tuple[float, float]:
        """Mean loss of the last row of metrics, and the seconds of all attempts."""
        self._checkpoints.wait()
        return self._rows.mean_loss, self._rows.seconds()

    def _look_at(self, step: Step, at_once: bool) -> Event | None:
        """Report the step; returns the anomaly that ends the run, if there is one."""
        events = self._rows.add(step, self._checkpoints.steps, at_once)
        for event in events:
            self._checkpoints.pin(event.checkpoint)
        return next((event for event in events if "stop" in event.action), None)

    def _save(self, step: Step) -> None:
        """Save the state; `UserError` for one from which nothing can be resumed."""
        loss, norm = step.loss.item(), step.norm.item()
        if not _is_finite(step):
            raise DivergedError(
                f"Training went wrong: at step {step.done} the loss is {loss}, the gradient's norm "
                f"{norm}.",
                "Lower training.learning_rate or lengthen warmup_steps; the checkpoint before is kept.",
            )
        self._rows.sync()
        self._checkpoints.save(step.done, self._rows.since_row, loss, self._policy, self._optimizer)

    def _stopped(self, event: Event) -> UserError:
        good = "none"
        if event.checkpoint is not None:
            good = str(self._checkpoints.path(event.checkpoint))
        kind = DivergedError if event.kind in DIVERGED else UserError
        return kind(
            f"Stopped by monitoring.{event.kind}: {describe_event(event)}.\n  Last good checkpoint: {good}",
            way_out(event),
        )


def _is_finite(step: Step) -> bool:
    return math.isfinite(step.loss.item()) and math.isfinite(step.norm.item())
