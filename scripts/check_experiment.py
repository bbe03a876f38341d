"""Stop before work that would be wasted: what must be there before an experiment runs."""

import shutil
from pathlib import Path

from vla.errors import UserError
from vla.files import write_sealed
from vla.items import Experiment
from vla.job import job, load_plan
from vla.provenance.git import git_state
from vla.training.determinism import choose_device


def check(experiment: Experiment, root: Path) -> dict[str, str]:
    """What was found, by the name of the check; `UserError` lists every check that failed."""
    config = experiment.config
    source = experiment.folder / "config.yaml"
    found, failed = {}, []
    for name in ("hypothesis", "plan"):
        if getattr(config.experiment, name):
            found[name] = "written"
        else:
            failed.append(f"experiment.{name} is empty: write it in {source}")
    free = shutil.disk_usage(experiment.folder).free / 1e9
    found["disk space"] = f"{free:.1f} GB free, {config.resources.disk_gb} GB asked for"
    if free < config.resources.disk_gb:
        failed.append(f"disk space: {found['disk space']} (resources.disk_gb): free some")
    try:
        found["device"] = str(choose_device(experiment.accelerator))
    except UserError as error:
        failed.append(f"device: {error.problem} {error.way_out}")
    state = git_state(root)
    changes = f"{len(state['dirty'])} uncommitted files, kept in the record as a patch"
    found["code"] = (
        "outside git" if state["commit"] is None else changes if state["dirty"] else "committed"
    )
    if failed:
        raise UserError(
            f"{experiment.name} is not ready to run:\n  " + "\n  ".join(failed),
            "Mend these and run snakemake again.",
        )
    return found


if __name__ == "__main__":
    with job("train", snakemake.log[0], f"check {snakemake.wildcards.experiment}") as root:
        experiment = load_plan(snakemake).find_experiment(snakemake.wildcards.experiment)
        experiment.find_run(snakemake.wildcards.run)
        write_sealed(Path(snakemake.output[0]), {"schema": 1, "checks": check(experiment, root)})
