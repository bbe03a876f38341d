"""The training loop."""

import logging
import math
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch

from vla.config.complete import ExperimentConfig
from vla.data.loading import batches
from vla.data.mixture import Mixture
from vla.data.store import PreparedStore
from vla.errors import GoOnLaterError, UserError
from vla.monitoring.monitor import Monitor, describe_event, way_out
from vla.monitoring.usage import Usage
from vla.policies.policy import Policy
from vla.process.progress import Progress
from vla.process.signals import StopRequest
from vla.records.events import Event, read_events
from vla.tracking.metrics import MetricsLog
from vla.training.batches import Batch, Batches
from vla.training.checkpoint import Checkpoints, SinceRow
from vla.training.optimizer import build_optimizer, learning_rate

logger = logging.getLogger("vla")


@dataclass(frozen=True)
class TrainingRun:
    """What an experiment's `train.py` is given: configuration, data, and where to write."""

    config: ExperimentConfig
    seed: int
    key: str
    store: PreparedStore | Mixture
    device: torch.device
    checkpoints: Path
    logs: Path


@dataclass(frozen=True)
class TrainingResult:
    """`final_loss`: mean training loss over the last `tracking.log_every` steps;
    `seconds`: wall time of all steps, those before a resume and those repeated after it included."""

    policy: Policy
    final_loss: float
    seconds: float
    resumed_from_step: int


def fit(run: TrainingRun, policy: Policy, sampler: Batches) -> TrainingResult:
    """Train `policy` for `training.num_steps` steps, from the newest checkpoint if there is one.

    Asked to stop by a signal, it saves its state and raises `GoOnLaterError`. An anomaly that
    `monitoring` stops for is a `UserError`.
    """
    config = run.config.training
    save_every = run.config.checkpoints.save_every
    policy.to(run.device).train()
    optimizer = build_optimizer(policy, config)
    checkpoints = Checkpoints(run.checkpoints, run.key, run.config.checkpoints)
    first, since_row = checkpoints.resume(policy, optimizer)
    if not checkpoints.steps():  # a disk that cannot be written is found now, not in an hour
        checkpoints.save(0, {}, None, policy, optimizer)
    report = _Report(run, first, since_row)
    for event in read_events(run.logs / "events.jsonl"):
        checkpoints.pin(event.checkpoint)
    progress = Progress("train", config.num_steps, "step", done=first)
    steps = range(first, config.num_steps)
    loader = batches(sampler.batch, steps, run.config.resources.loader_workers)
    with closing(checkpoints), closing(report.metrics), closing(loader), StopRequest() as stop:
        for step in steps:
            asked = time.monotonic()
            batch = next(loader)
            waited = time.monotonic() - asked
            rate = learning_rate(step, config)
            loss, norm = _optimise(run, policy, optimizer, batch, rate)

            done = step + 1
            last = done == config.num_steps
            progress.update(loss=loss)
            signalled = stop.signal_name  # looked at once: what it says below is what was done
            saving = not last and (done % save_every == 0 or signalled is not None)
            # What cannot be saved is told at once, not with the next row.
            broken = saving and not _finite(loss, norm)
            anomaly = report.step(done, loss, norm, rate, waited, checkpoints, broken)
            if anomaly and anomaly.action == "stop":
                raise _stopped(anomaly, run)
            checkpoints.raise_errors()
            if saving or (anomaly and not last):
                _require_finite(loss, norm, done)
                report.metrics.sync()
                checkpoints.save(done, report.since_row, loss.item(), policy, optimizer)
            if anomaly:
                checkpoints.wait()
                raise _stopped(anomaly, run)
            if not last and signalled:
                checkpoints.wait()
                raise GoOnLaterError(
                    f"{signalled}: stopped after step {done} of {config.num_steps}, saved."
                )
        checkpoints.wait()
    return TrainingResult(policy, report.mean_loss, report.seconds(), first)


class _Report:
    """Metrics and anomalies, every `tracking.log_every` steps and after the first and last one."""

    def __init__(self, run: TrainingRun, first: int, since_row: SinceRow):
        self.run, self.since_row = run, since_row
        self.metrics = MetricsLog(run.logs)
        self.monitor = Monitor(
            run.config.monitoring,
            run.logs / "events.jsonl",
            self.metrics.rows_until(first),
            disk_reserve_gb=run.config.resources.disk_gb / 4,
        )
        self.usage = Usage(run.checkpoints.parent, cuda=run.device.type == "cuda")
        self.mean_loss = math.nan
        self._started = self._since = time.monotonic()
        self._waited = 0.0

    def seconds(self) -> float:
        """Wall time of this attempt and those before."""
        return self.metrics.seconds_before + time.monotonic() - self._started

    def step(
        self,
        done: int,
        loss: torch.Tensor,
        norm: torch.Tensor,
        rate: float,
        waited: float,
        checkpoints: Checkpoints,
        at_once: bool,
    ) -> Event | None:
        """Take one step in; returns the anomaly that ends the run, if there is one.

        `at_once`: with a row of metrics, though none is due.
        """
        self.since_row["losses"].append(loss)
        self.since_row["norms"].append(norm)
        self._waited += waited
        last = done == self.run.config.training.num_steps
        if not (at_once or done == 1 or last or done % self.run.config.tracking.log_every == 0):
            return None
        losses, norms = (torch.stack(self.since_row[name]) for name in ("losses", "norms"))
        self.mean_loss = losses.mean().item()
        took = time.monotonic() - self._since
        row = {
            "step": done,
            "loss": self.mean_loss,
            "learning_rate": rate,
            "gradient_norm": norms.max().item(),
            "samples_per_second": len(losses) * self.run.config.training.batch_size / took,
            "data_wait": self._waited / took,
            **self.usage.sample(),
            "seconds": self.seconds(),
        }
        self._since, self._waited = time.monotonic(), 0.0
        self.since_row = {"losses": [], "norms": []}
        before = self.metrics.log(row)
        if before and self.run.config.training.determinism == "strict":
            row["loss_before"] = float(before["loss"])
        ends = None
        for event in self.monitor.check(row, checkpoints.steps):
            logger.warning("Anomaly: %s", describe_event(event))
            checkpoints.pin(event.checkpoint)
            if "stop" in event.action:
                ends = ends or event
        return ends


def _optimise(
    run: TrainingRun,
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    rate: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step; returns its loss and the norm of the gradient before clipping."""
    config = run.config.training
    for group in optimizer.param_groups:
        group["lr"] = rate
    with torch.autocast(run.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        loss = policy.loss(
            batch.observation.to(run.device),
            batch.actions.to(run.device),
            batch.valid.to(run.device),
        )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), config.gradient_clip)
    optimizer.step()
    return loss.detach(), norm


def _finite(loss: torch.Tensor, norm: torch.Tensor) -> bool:
    return math.isfinite(loss.item()) and math.isfinite(norm.item())


def _require_finite(loss: torch.Tensor, norm: torch.Tensor, step: int) -> None:
    """No checkpoint of a state from which nothing can be resumed."""
    if not _finite(loss, norm):
        raise UserError(
            f"Training went wrong: at step {step} the loss is {loss.item()}, the gradient's norm "
            f"{norm.item()}.",
            "Lower training.learning_rate or lengthen warmup_steps; the checkpoint before is kept.",
        )


def _stopped(event: Event, run: TrainingRun) -> UserError:
    last = "none"
    if event.checkpoint is not None:
        last = str(run.checkpoints / f"step_{event.checkpoint:08d}.safetensors")
    return UserError(
        f"Stopped by monitoring.{event.kind}: {describe_event(event)}.\n  Last good checkpoint: {last}",
        way_out(event),
    )
