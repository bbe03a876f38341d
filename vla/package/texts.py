"""What a package says in words: README, answers to the NeurIPS checklist, ACM's artifact appendix."""

from dataclasses import replace
from typing import Any

from vla.package.results import Results
from vla.package.table import claims_table
from vla.plan.items import Experiment
from vla.records.circumstances import JobRecord
from vla.records.claims import ClaimsRecord
from vla.records.package import PackageRecord
from vla.report.checklist import checklist
from vla.report.origin import origin
from vla.report.templates import template_environment

# File in the package -> template.
TEXTS = {
    "README.md": "package.md.j2",
    "paper/NEURIPS_CHECKLIST.md": "neurips_checklist.md.j2",
    "paper/ARTIFACT_APPENDIX.md": "artifact_appendix.md.j2",
}


def package_texts(
    experiment: Experiment,
    record: PackageRecord,
    results: Results,
    claims: ClaimsRecord,
    anonymous: bool,
) -> dict[str, str]:
    """File in the package -> text, each number from a record."""
    environment = template_environment(experiment.root)
    context = _context(experiment, record, results, claims) | {"anonymous": anonymous}
    return {
        name: environment.get_template(template).render(context) for name, template in TEXTS.items()
    }


def _context(
    experiment: Experiment, record: PackageRecord, results: Results, claims: ClaimsRecord
) -> dict[str, Any]:
    runs, evaluations = list(results.runs.values()), list(results.evaluations.values())
    config = experiment.config
    return {
        "folder": experiment.name,
        "experiment": config.experiment,
        "config": config,
        "origin": origin(replace(experiment, root=results.root), runs[0]),
        "package": record,
        "claims": claims,
        "claims_table": claims_table(claims),
        "checklist": checklist(runs, evaluations),
        "runs": runs,
        "conditions": tuple(dict.fromkeys(e.condition for e in evaluations)),
        "episodes": sum(evaluation.episodes for evaluation in evaluations),
        "training_seconds": sum(run.training_seconds for run in runs),
        "episode_seconds": sum(evaluation.episode_seconds for evaluation in evaluations),
        "gpu_hours": sum(run.gpu_hours or 0 for run in runs),
        "attempts": sum(len(run.attempts) for run in runs),
        "machines": _machines([*runs, *evaluations]),
        "python": runs[0].environment.python,
        "torch": runs[0].environment.torch.version,
        "isolated": all(job.environment.deployment == "conda" for job in [*runs, *evaluations]),
    }


def _machines(jobs: list[JobRecord]) -> list[str]:
    """Each kind of machine that was used, once."""
    lines = []
    for job in jobs:
        used = job.hardware
        gpus = ", ".join(gpu.name for gpu in used.gpus) or "no GPU"
        lines.append(
            f"{used.cpu}, {used.cpu_threads} threads, {used.memory_gb:.0f} GB memory, {gpus}"
        )
    return list(dict.fromkeys(lines))
