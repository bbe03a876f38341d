"""Sentences that a report has on the screen and in print."""

from collections.abc import Sequence

from vla.report.compute import Compute
from vla.report.content import Content
from vla.report.footprint import Footprint

NOT_MEASURED = (
    "Energy of GPUs was not measured: there was none, or none with a meter that could be read."
)
NOT_ESTIMATED = (
    "Energy and carbon are not estimated from time either: the configuration assumes no power and no "
    "mix of electricity (footprint)."
)
MEASURED = (
    "Energy is an estimate: {total:.3f} kWh by the GPUs' own meters (NVML) between the start of each "
    "attempt and its last row of metrics, all that ran on the same GPU included. Processor, memory, "
    "cooling, evaluation and what a killed attempt drew after its last row are not in it."
)


def energy_note(compute: Sequence[Compute], footprint: Footprint | None = None) -> str:
    """What was measured of the energy, and what not. `footprint`: what is estimated beside it."""
    note = _measured(compute)
    return note if footprint else f"{note} {NOT_ESTIMATED}"


def _measured(compute: Sequence[Compute]) -> str:
    measured = [row.energy_kwh for row in compute if row.energy_kwh is not None]
    if not measured:
        return NOT_MEASURED
    missing = len(compute) - len(measured)
    note = MEASURED.format(total=sum(measured))
    return f"{note} {missing} of {len(compute)} runs were not measured." if missing else note


def how_again(report: Content) -> str:
    """Shell commands that run the experiment again."""
    first = report.runs[0].record
    conda = " --use-conda" if first.environment.deployment == "conda" else ""
    return "\n".join(
        [
            f"git checkout {first.git.commit or '<commit>'}",
            "make setup",
            f".venv/bin/snakemake{conda} --config 'experiments=[\"{report.folder}\"]' 'comparisons=[]'",
        ]
    )
