"""What the landing page of Snakemake's report says of each experiment, as text for its caption (RST).

Plain values: `reports/captions/workflow.rst` reads them as part of Snakemake's configuration.
"""

import re
from pathlib import Path
from typing import Any

from vla.plan.items import Experiment
from vla.plan.plan import Plan
from vla.plan.sweeps import trained_parts
from vla.records.comparison import ComparisonRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord
from vla.records.summary import SummaryRecord
from vla.statistics.rates import describe, percent

MARKUP = re.compile(r"([\\*`_|<>])")  # what RST reads as more than a letter


def landing(plan: Plan) -> dict[str, Any]:
    """`experiments` and `comparisons`: one entry each that is finished; `unfinished`: names of the others;
    `made`: in words, with what the results were made."""
    finished = [e for e in plan.experiments.values() if _summary(e).is_file()]
    comparisons = [
        {
            "names": text(f"{pair.candidate} against {pair.baseline}"),
            "says": text(ComparisonRecord.read(path).statement),
        }
        for pair in plan.comparisons
        if (path := plan.root / "results" / pair.name / "comparison.json").is_file()
    ]
    return {
        "experiments": [_experiment(plan, experiment) for experiment in finished],
        "comparisons": comparisons,
        "unfinished": [text(name) for name in plan.experiments.keys() - {e.name for e in finished}],
        "made": _made(finished),
    }


def text(words: str) -> str:
    """Words as RST prints them, on one line."""
    return MARKUP.sub(r"\\\1", " ".join(words.split()))


def _summary(experiment: Experiment) -> Path:
    return experiment.document("summary", "summary.json")


def _experiment(plan: Plan, experiment: Experiment) -> dict[str, str]:
    summary, about = SummaryRecord.read(_summary(experiment)), experiment.config.experiment
    target = "none" if summary.target is None else f"{percent(summary.target)}, {summary.verdict}"
    report = plan.experiment_report(experiment.name, "report.html").relative_to(plan.root)
    return {
        "name": text(experiment.name),
        "says": text(about.title or about.description),
        "rate": text(describe(summary.conditions["instructed"].overall)),
        "target": text(target),
        "outcome": text(about.outcome.status),
        "seeds": str(len(experiment.runs)),
        "report": report.as_posix(),
    }


def _made(experiments: list[Experiment]) -> dict[str, str]:
    """Commits, software and machines of all jobs, each told once; names of hosts are not told."""
    jobs: list[RunRecord | EvaluationRecord] = []
    for experiment in experiments:
        for run in [run for part in trained_parts(experiment) for run in part.runs]:
            jobs.append(RunRecord.read(experiment.run_record(run)))
            jobs += [
                EvaluationRecord.read(experiment.evaluation_record(run, evaluation))
                for evaluation in run.evaluations
            ]
    told = {
        "Commit": [(job.git.commit or "not in git")[:12] for job in jobs],
        "Environment": [
            f"{job.environment.deployment}, Python {job.environment.python}"
            + (f", PyTorch {job.environment.torch.version}" if job.environment.torch else "")
            for job in jobs
        ],
        "Machine": [
            ", ".join([job.hardware.cpu, *(gpu.name for gpu in job.hardware.gpus)]) for job in jobs
        ],
    }
    return {what: text("; ".join(dict.fromkeys(each))) for what, each in told.items() if each}
