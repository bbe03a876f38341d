"""The reproducibility checklist, filled from the records of all jobs behind a result."""

from collections.abc import Callable, Sequence
from typing import Any

from vla.records.circumstances import JobRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.source.git import may_decide


def checklist(
    runs: list[RunRecord], evaluations: list[EvaluationRecord]
) -> list[tuple[bool, str, str]]:
    """The reproducibility checklist: (fulfilled, what, value).

    An item is fulfilled only when it is by every job: `runs` and `evaluations` are all their
    records. Where jobs differ, each value is shown.
    """
    jobs = [*runs, *evaluations]
    return [
        (True, "Python version", _shown(jobs, lambda job: job.environment.python)),
        (True, "PyTorch version", _shown(jobs, lambda job: job.environment.torch.version)),
        (
            True,
            "CUDA version",
            _shown(jobs, lambda job: job.environment.torch.cuda or "none (CPU build)"),
        ),
        (
            all(job.environment.deployment == "conda" for job in jobs),
            "Locked environment",
            _shown(jobs, _software),
        ),
        (True, "Random seed set", _shown(runs, _seed)),
        (
            all(job.determinism.mode != "fast" for job in jobs),
            "Deterministic algorithms",
            _shown(jobs, lambda job: f"{job.determinism.mode} mode"),
        ),
        (
            all(job.git.commit and not _uncommitted(job) for job in jobs),
            "Git commit",
            _shown(jobs, _commit),
        ),
        (all(run.datasets for run in runs), "Dataset version", _shown(runs, _dataset)),
        (True, "Hardware", _shown(jobs, _hardware)),
        (True, "Renderer", _shown(evaluations, lambda job: job.renderer["renderer"])),
    ]


def _shown(records: Sequence[JobRecord], of: Callable[[Any], str]) -> str:
    return "; ".join(dict.fromkeys(of(record) for record in records))


def _software(job: JobRecord) -> str:
    environment = job.environment
    if environment.deployment == "conda":
        return f"conda, {environment.name}, lock {environment.lock[:12]}"
    return "host, not isolated (no --use-conda)"


def _commit(job: JobRecord) -> str:
    commit = job.git.commit or "not in git"
    if _uncommitted(job):
        commit += f" with {len(_uncommitted(job))} uncommitted changes (kept beside the record)"
    return commit


def _uncommitted(job: JobRecord) -> list[str]:
    """Files that differed from the commit and could decide the result: a stray log does not."""
    return [name for name in job.git.dirty if may_decide(name)]


def _seed(run: RunRecord) -> str:
    return str(run.seed) if run.datasets else "of episodes alone: the policy was not trained here"


def _dataset(run: RunRecord) -> str:
    if not run.datasets:
        return "unknown: the policy was not trained here"
    return ", ".join(
        f"{dataset.name} {dataset.version} (content {dataset.content[:12]})"
        for dataset in run.datasets
    )


def _hardware(job: JobRecord) -> str:
    machine = job.hardware
    on_gpu = job.device.startswith("cuda")
    processor = ", ".join(job.environment.torch.gpus) if on_gpu else machine.cpu
    return f"{processor}, {machine.memory_gb:.0f} GB memory"
