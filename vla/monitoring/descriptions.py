"""Anomalies in words, for logs and documents; how they are found decides no document."""

from vla.records.events import Event

TEXTS = {
    "not_finite": "loss or gradient norm is {value:g}",
    "divergence": "loss {value:.4g}, above {threshold:.4g}",
    "loss_spike": "loss {value:.4g}, above {threshold:.4g}",
    "gradient_explosion": "gradient norm {value:.4g}, above {threshold:.4g}",
    "not_repeated": "loss {value!r} where it was {threshold!r} before a resume",
    "plateau": "median loss {value:.4g}, not below the {threshold:.4g} of before",
    "throughput_drop": "{value:.4g} samples/s, below {threshold:.4g}",
    "idle_gpu": "GPU {value:.0f} % busy, below {threshold:.0f} %",
    "disk_filling": "full in {value:.0f} minutes, limit {threshold:.0f}",
    "disk_full": "{value:.3f} GB free, limit {threshold:.3f} GB",
}
WAYS_OUT = {
    "not_finite": "Lower training.learning_rate, lengthen training.warmup_steps, or look at the data.",
    "divergence": "Lower training.learning_rate or lengthen training.warmup_steps.",
    "disk_full": "Free some: `vla clean` shows what finished runs no longer need.",
}


def describe_event(event: Event) -> str:
    """An event in words."""
    text = TEXTS[event.kind].format(value=event.value, threshold=event.threshold)
    return f"{event.kind.replace('_', ' ')} at step {event.step}: {text}"


def way_out(event: Event) -> str:
    """What to do about an event that stops a run."""
    way = WAYS_OUT.get(event.kind, "Look at the curves: vla watch.")
    return f"{way} To go on regardless: monitoring.{event.kind}: warn."
