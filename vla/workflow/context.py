"""What one call of Snakemake settles for all its jobs, on whichever node they run."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vla.plan.deployment import Deployment
from vla.plan.plan import Plan


@dataclass(frozen=True)
class JobContext:
    """Made by the Snakefile, kept in Snakemake's configuration, handed to each script.

    `root`: the project's folder; `deployment`: where jobs run; `command`: what a person typed.
    """

    root: Path
    deployment: Deployment
    command: str

    def as_config(self) -> dict[str, Any]:
        return {"root": str(self.root), "command": self.command, **asdict(self.deployment)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "JobContext":
        content = config["context"]
        deployment = Deployment(content["use_conda"], content["accelerator"])
        return cls(Path(content["root"]), deployment, content["command"])

    def plan(self, config: dict[str, Any], run: str = "") -> Plan:
        """The plan as configuration and code are now, for the job of that run if it is one's."""
        asked = {name: value for name, value in config.items() if name != "context"}
        return Plan(self.root, asked, self.deployment, run)
