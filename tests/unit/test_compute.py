"""What an experiment cost, by its records."""

from dataclasses import replace

import pandas as pd
import pytest
from pydantic import ValidationError

from tests.records import make_run_record
from vla.config.footprint import FootprintSection
from vla.monitoring.processor_meter import ProcessorMeter
from vla.report.compute import measure_compute
from vla.report.footprint import estimate
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
        assert energy_note([rows]).startswith("Energy of GPUs was not measured")


def test_cpu_hours_are_those_that_were_used():
    assert cost().cpu_hours == pytest.approx((1.5 * 10 + 0.5 * 10 + 1.0 * 10) / 3600)


ASSUMED = {
    "country": "Germany",
    "carbon_g_per_kwh": 400,
    "carbon_source": "the environment agency, 2024",
}
WATTS = {"core_watts": 10, "gpu_watts": 300, "power_source": "the data sheets"}


def test_footprint_is_what_meters_show_and_else_what_is_assumed():
    """CPU hours: 30 s at a full core on the average; the meter of the GPU showed 1 kWh."""
    metered = replace(cost(gpu_energy_j=[1.8e6, 2e6, 3.6e6]), gpu_hours=4.0)
    unmetered = replace(cost(), gpu_hours=2.0)
    given = FootprintSection(**ASSUMED, **WATTS, pue=1.5)
    found = estimate([metered, unmetered], given)
    processor, gpu = found.parts
    assert processor.kwh == pytest.approx(2 * 30 / 3600 * 10 / 1000)
    assert processor.basis == "0.0167 CPU hours at 10 W a core"
    assert gpu.kwh == pytest.approx(1 + 2 * 0.3)
    assert gpu.basis == "metered (1 of 2 runs), 2 GPU hours at 300 W a GPU"
    assert found.kwh == pytest.approx(1.5 * (processor.kwh + gpu.kwh))
    assert found.grams == pytest.approx(400 * found.kwh)
    assert found.assumed[1] == "400 g/kWh, Germany: the environment agency, 2024"


def test_what_is_neither_metered_nor_assumed_is_said():
    found = estimate([replace(cost(), gpu_hours=0.0)], FootprintSection(**ASSUMED))
    assert [part.energy for part in found.parts] == ["–", "0 Wh"]
    assert found.parts[0].basis == "0.00833 CPU hours neither metered nor assumed"
    assert estimate([cost()], None) is None


def test_watts_without_a_source_are_refused():
    with pytest.raises(ValidationError, match="who says so"):
        FootprintSection(**ASSUMED, core_watts=10)


def test_meter_of_processors_goes_on_where_a_counter_begins_anew(tmp_path):
    """Files as Linux has them: two processors; a part of one of them, which is counted in it."""

    def show(zone: str, microjoules: int) -> None:
        (tmp_path / zone).mkdir(exist_ok=True)
        (tmp_path / zone / "max_energy_range_uj").write_text("1000000\n")
        (tmp_path / zone / "energy_uj").write_text(f"{microjoules}\n")

    assert ProcessorMeter(tmp_path).joules() is None
    for zone in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        show(zone, 900_000)
    meter = ProcessorMeter(tmp_path)
    show("intel-rapl:0", 950_000)
    assert meter.joules() == pytest.approx(0.05)
    show("intel-rapl:0", 100_000)
    show("intel-rapl:1", 1_000_000)
    assert meter.joules() == pytest.approx(0.05 + 0.15 + 0.1)
    (tmp_path / "intel-rapl:1/energy_uj").unlink()
    assert meter.joules() is None
