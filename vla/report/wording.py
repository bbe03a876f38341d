"""Sentences that a report has on the screen and in print."""

from collections.abc import Sequence

from vla.report.compute import Compute
from vla.report.content import Content

NOT_MEASURED = (
    "Energy was not measured: only GPUs have a meter that the workflow reads. It is not estimated "
    "from time either, since nothing is known about the power of the processor."
)
MEASURED = (
    "Energy is an estimate: {total:.3f} kWh by the GPUs' own meters (NVML) between the start of each "
    "attempt and its last row of metrics, all that ran on the same GPU included. Processor, memory, "
    "cooling, evaluation and what a killed attempt drew after its last row are not in it."
)


def energy_note(compute: Sequence[Compute]) -> str:
    """What was measured of the energy, and what not."""
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
