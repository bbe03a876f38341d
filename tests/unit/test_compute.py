"""What an experiment cost, by its records."""

import pandas as pd
import pytest

from tests.records import make_run_record
from vla.report.compute import measure_compute
from vla.report.wording import energy_note


def cost(**columns: list[float]):
    metrics = pd.DataFrame(
        {"seconds": [10.0, 20.0, 30.0], "cpu_percent": [150.0, 50.0, 100.0]} | columns
    )
    return measure_compute(make_run_record(), [], metrics)


def test_energy_of_a_resumed_run_is_that_of_both_attempts():
    resumed = cost(gpu_energy_j=[1.8e6, 3.6e6, 1.8e6])  # the meter of the second starts at zero
    assert resumed.energy_kwh == pytest.approx(1 + 0.5)
    assert "estimate: 1.500 kWh" in energy_note([resumed])
    assert "1 of 2 runs were not measured" in energy_note([resumed, cost()])


def test_energy_without_a_meter_is_not_measured():
    """Runs of before, whose metrics lack the column, and those on a CPU, where it is empty."""
    for rows in (cost(), cost(gpu_energy_j=[float("nan")] * 3)):
        assert rows.energy_kwh is None
        assert energy_note([rows]).startswith("Energy was not measured")


def test_cpu_hours_are_those_that_were_used():
    assert cost().cpu_hours == pytest.approx((1.5 * 10 + 0.5 * 10 + 1.0 * 10) / 3600)
