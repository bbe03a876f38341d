"""The training loop."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch

from vla.config.load import ExperimentConfig
from vla.data.prepared import PreparedStore
from vla.data.sampling import Batch, Sampler
from vla.errors import GoOnLaterError, UserError
from vla.models.policy import Policy
from vla.progress import Progress
from vla.tracking.metrics import MetricsLog
from vla.training.checkpoint import Checkpoints
from vla.training.optimizer import build_optimizer, learning_rate
from vla.training.stopping import StopRequest


@dataclass(frozen=True)
class TrainingRun:
    """What an experiment's `train.py` is given: configuration, data, and where to write."""

    config: ExperimentConfig
    seed: int
    key: str
    store: PreparedStore
    device: torch.device
    checkpoints: Path
    logs: Path


@dataclass(frozen=True)
class TrainingResult:
    """`final_loss`: mean training loss over the last `tracking.log_every` steps;
    `seconds`: wall time of all steps, those before a resume included."""

    policy: Policy
    final_loss: float
    seconds: float
    resumed_from_step: int


def fit(run: TrainingRun, policy: Policy, sampler: Sampler) -> TrainingResult:
    """Train `policy` for `training.num_steps` steps, from the newest checkpoint if there is one.

    Asked to stop by a signal, it saves its state and raises `GoOnLaterError`.
    """
    config = run.config.training
    log_every = run.config.tracking.log_every
    save_every = run.config.checkpoints.save_every
    policy.to(run.device).train()
    optimizer = build_optimizer(policy, config)
    checkpoints = Checkpoints(run.checkpoints, run.key, run.config.checkpoints)
    first, losses = checkpoints.resume(policy, optimizer)
    metrics = MetricsLog(
        run.logs, first, run.config.tracking.tensorboard, run.config.model_dump(mode="json")
    )
    started = since = time.monotonic()
    progress = Progress("train", config.num_steps, "step", done=first)
    with closing(checkpoints), closing(metrics), StopRequest() as stop:
        for step in range(first, config.num_steps):
            rate = learning_rate(step, config)
            loss, norm = _optimise(run, policy, optimizer, sampler.batch(step), rate)
            losses.append(loss)

            done = step + 1
            progress.update(loss=loss)
            if done % log_every == 0 or done == config.num_steps:
                mean = torch.stack(losses).mean().item()
                _check_finite(mean, float(norm), done)
                now = time.monotonic()
                metrics.log(
                    {
                        "step": done,
                        "loss": mean,
                        "learning_rate": rate,
                        "gradient_norm": float(norm),
                        "samples_per_second": len(losses) * config.batch_size / (now - since),
                        "seconds": metrics.seconds_before + now - started,
                    }
                )
                since, losses = now, []
            checkpoints.raise_errors()
            if done < config.num_steps and (done % save_every == 0 or stop.signal_name):
                _check_finite(loss.item(), float(norm), done)
                metrics.sync()
                checkpoints.save(done, losses, loss.item(), policy, optimizer)
            if done < config.num_steps and stop.signal_name:
                checkpoints.wait()
                raise GoOnLaterError(
                    f"{stop.signal_name}: stopped after step {done} of {config.num_steps}, saved."
                )
        checkpoints.wait()
    return TrainingResult(policy, mean, metrics.seconds_before + now - started, first)


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


def _check_finite(loss: float, norm: float, step: int) -> None:
    if not (abs(loss) < float("inf") and norm < float("inf")):
        raise UserError(
            f"Training went wrong: at step {step} loss is {loss}, gradient norm {norm}.",
            "Lower training.learning_rate or lengthen warmup_steps; the last checkpoint is kept.",
        )
