"""What Snakemake asks SLURM for, by a profile and the requests of rules."""

import ast
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.plan.requests import Request

# Snakemake's name of a number that a request has -> its name there
NUMBERS = {
    **{"threads": "cores", "gpu": "gpus", "mem_mb": "memory", "runtime": "minutes"},
    "nodes": "nodes",
}


@dataclass(frozen=True)
class Submission:
    """A job as it would be submitted. `site`: Snakemake's names of resources -> values."""

    request: Request
    site: dict[str, str]

    def options(self) -> list[str]:
        """Options of `sbatch`, as the executor gives them."""
        asked, site = self.request, self.site
        options = [f"--cpus-per-task={asked.cores}", f"--mem={asked.memory}", f"-t{asked.minutes}"]
        options += [f"-A{account}" for account in [site.get("slurm_account")] if account]
        options += [f"-p{partition}" for partition in [site.get("slurm_partition")] if partition]
        options += [f"--{name}={site[name]}" for name in ("qos", "constraint") if name in site]
        options.append(f"--nodes={asked.nodes}")
        if asked.nodes > 1 and asked.gpus and "gres" not in site:
            options.append(f"--gres=gpu:{asked.gpus}")
        elif asked.nodes == 1 and asked.gpus:
            model = f"{site['gpu_model']}:" if "gpu_model" in site else ""
            options.append(f"--gpus={model}{asked.gpus}")
        if "gres" in site:
            options.append(f"--gres={site['gres']}")
        return options + site.get("slurm_extra", "").split()


class Profile:
    """A folder whose config.yaml Snakemake reads with `--profile`."""

    def __init__(self, folder: Path):
        self.file = folder / "config.yaml"
        if not self.file.is_file():
            raise UserError(
                f"{self.file} is not there.", "Name a profile's folder: --profile profiles/slurm."
            )
        self._content = read_yaml(self.file) or {}
        if self._content.get("executor") != "slurm":
            raise UserError(
                f"{self.file} does not say `executor: slurm`.",
                "Name the profile of a cluster: --profile profiles/slurm.",
            )

    def submission(self, rule: str, request: Request) -> Submission:
        """Of a job of `rule`: what the profile sets goes before what the rule asks for."""
        own = (self._content.get("set-resources") or {}).get(rule) or {}
        threads = (self._content.get("set-threads") or {}).get(rule)
        numbers = {"threads": threads} | own
        given = {
            field: numbers[name]
            for name, field in NUMBERS.items()
            if isinstance(numbers.get(name), int)
        }
        both = (self._content.get("default-resources") or {}) | own
        site = {name: _text(value) for name, value in both.items() if name not in NUMBERS}
        return Submission(replace(request, **given), site)


def _text(value: Any) -> str:
    """Without the second pair of quotes by which Snakemake knows a text from an expression."""
    text = str(value)
    if text[:1] in ("'", '"'):
        return str(ast.literal_eval(text))
    return text
