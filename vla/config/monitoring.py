"""`monitoring`: anomalies that are noticed while a run trains, and what is done then."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat

from vla.config.base import Section

Action = Literal["ignore", "warn", "save_and_stop", "stop"]


class MonitoringSection(Section):
    """Anomalies. By kind: `ignore`, `warn`, `save_and_stop`, or `stop` at the last good checkpoint. Never part of a run's key."""

    window: Annotated[int, Field(ge=10)] = 50
    """Rows of metrics (`tracking.log_every` steps each) that are looked back on."""
    not_finite: Action = "stop"
    """Loss or gradient norm is infinite or no number."""
    divergence: Action = "stop"
    """Loss above `divergence_factor` times that of the first step."""
    divergence_factor: PositiveFloat = 10.0
    """Times the loss of the first step."""
    loss_spike: Action = "warn"
    """Loss above the window's median by more than `spike_deviations` robust standard deviations, and by half of it."""
    spike_deviations: PositiveFloat = 10.0
    """Robust standard deviations (1.4826 times the median absolute deviation)."""
    gradient_explosion: Action = "warn"
    """Gradient norm, before clipping, above `gradient_factor` times the window's median."""
    gradient_factor: PositiveFloat = 20.0
    """Times the window's median gradient norm."""
    not_repeated: Action = "warn"
    """A step that is repeated after a resume has another loss than before, in strict mode: another kind of device, or one that does not repeat its results."""
    plateau: Action = "warn"
    """The window's newer half has no lower median loss than its older half, though the learning rate is still above half of its peak."""
    throughput_drop: Action = "warn"
    """Samples a second below `throughput_fraction` of the window's median, five rows on end."""
    throughput_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Fraction of the window's median."""
    idle_gpu: Action = "warn"
    """GPU less busy than `idle_percent`, ten rows on end."""
    idle_percent: Annotated[float, Field(ge=0, le=100)] = 10.0
    """Per cent of the time that some kernel ran."""
    disk_filling: Action = "warn"
    """At the window's pace the disk is as good as full (`disk_full`) within `disk_horizon_minutes`."""
    disk_horizon_minutes: PositiveFloat = 30.0
    """How far ahead (minutes)."""
    disk_full: Action = "save_and_stop"
    """Less than a quarter of `resources.disk_gb` is free."""
    evaluation_gap: Literal["ignore", "warn"] = "warn"
    """The loss has at least halved, and yet the success rate's interval lies below `evaluation_floor`."""
    evaluation_floor: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Success rate."""
