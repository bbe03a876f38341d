"""Energy and carbon of an experiment's training: metered where there is a meter, else by the assumptions
of its configuration. An estimate, told with what it rests on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vla.config.footprint import FootprintSection
from vla.report.compute import Compute


@dataclass(frozen=True)
class Part:
    """One line of the estimate. `kwh` is None where it is neither metered nor assumed."""

    what: str
    kwh: float | None
    basis: str

    @property
    def energy(self) -> str:
        return "–" if self.kwh is None else energy_in_words(self.kwh)


@dataclass(frozen=True)
class Footprint:
    """`kwh`: with the building's share; `grams`: of CO₂ equivalents; `assumed`: where from, in words."""

    parts: tuple[Part, ...]
    kwh: float
    grams: float
    assumed: tuple[str, ...]

    @property
    def energy(self) -> str:
        return energy_in_words(self.kwh)

    @property
    def carbon(self) -> str:
        return carbon_in_words(self.grams)


def estimate(compute: Sequence[Compute], given: FootprintSection | None) -> Footprint | None:
    """Of all training runs together; None where the configuration assumes nothing."""
    if given is None:
        return None
    parts = (
        _part(
            "Processor",
            [(row.cpu_energy_kwh, row.cpu_hours) for row in compute],
            given.core_watts,
            ("CPU hours", "a core"),
        ),
        _part(
            "GPU",
            [(row.energy_kwh, row.gpu_hours or 0.0) for row in compute],
            given.gpu_watts,
            ("GPU hours", "a GPU"),
        ),
    )
    kwh = given.pue * sum(part.kwh or 0.0 for part in parts)
    assumed = [f"{given.carbon_g_per_kwh:g} g/kWh, {given.country}: {given.carbon_source}"]
    if given.power_source:
        assumed.insert(0, f"Watts: {given.power_source}")
    if given.pue != 1:
        assumed.append(f"{given.pue:g} times the machines' energy for cooling and supply (PUE)")
    return Footprint(parts, kwh, kwh * given.carbon_g_per_kwh, tuple(assumed))


def _part(
    what: str,
    runs: list[tuple[float | None, float]],
    watts: float | None,
    words: tuple[str, str],
) -> Part:
    """`runs`: of each, what its meter showed (kWh) and hours of use."""
    metered = [kwh for kwh, _ in runs if kwh is not None]
    hours = sum(hours for kwh, hours in runs if kwh is None)
    if hours and watts is None:
        return Part(
            what, sum(metered) or None, f"{hours:.3g} {words[0]} neither metered nor assumed"
        )
    basis = [f"metered ({len(metered)} of {len(runs)} runs)"] if metered else []
    if hours:
        basis.append(f"{hours:.3g} {words[0]} at {watts:g} W {words[1]}")
    kwh = sum(metered) + hours * (watts or 0.0) / 1000
    return Part(what, kwh, ", ".join(basis) or "not used")


def energy_in_words(kwh: float) -> str:
    """Three digits, in Wh where kWh would be small."""
    return f"{kwh:.3g} kWh" if kwh >= 0.1 else f"{1000 * kwh:.3g} Wh"


def carbon_in_words(grams: float) -> str:
    """Three digits, in kg where grams would be many."""
    return f"{grams / 1000:.3g} kg" if grams >= 1000 else f"{grams:.3g} g"
