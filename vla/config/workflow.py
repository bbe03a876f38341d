"""`config/config.yaml`: what `snakemake` makes."""

from typing import Literal

from pydantic import Field, model_validator

from vla.config.base import Section


class WorkflowConfig(Section):
    """What `snakemake` makes."""

    experiments: tuple[str, ...] = Field(min_length=1)
    """Folders in `experiments/`, in the order of tables and figures."""
    comparisons: tuple[tuple[str, str], ...] = ()
    """Pairs of experiments compared on the same episodes: [baseline, candidate]."""
    verification: Literal["changed", "full"] = "changed"
    """Whether datasets are hashed where files changed since the last time, or read in full each time."""

    demonstrations: str = "config/demonstrations.yaml"
    """File that says what `snakemake collect_demonstrations` collects."""
    verify: tuple[str, str] | None = None
    """Two runs (`experiments/E/results/seed42-KEY`) that `snakemake verify` compares."""
    archive_remote: str = ""
    """DVC remote that `vla archive` pushes finished experiments to; empty keeps them in DVC's cache."""
    allow_dirty: bool = False
    """Run with uncommitted code; records then keep it as a patch. By default `check_experiment` refuses."""

    @model_validator(mode="after")
    def _compared_are_run(self) -> "WorkflowConfig":
        for pair in self.comparisons:
            for name in pair:
                if name not in self.experiments:
                    raise ValueError(f"comparisons name {name!r}, which experiments does not list")
        return self
