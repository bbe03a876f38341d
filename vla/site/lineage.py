"""From data to numbers: which dataset, run, evaluation and summary came of which, with their hashes."""

from collections.abc import Sequence
from dataclasses import dataclass

from vla.plan.items import Experiment
from vla.records.run import RunRecord
from vla.report.content import Content
from vla.report.provenance import Source
from vla.words import CONDITIONS


@dataclass(frozen=True)
class Link:
    """One link of the chain.

    `stage`: Dataset, Run, Evaluation or Summary; `made_from`: names of links before it; `files`: (what
    it is, SHA-256), the dataset's over all its files.
    """

    stage: str
    name: str
    what: str
    made_from: tuple[str, ...]
    files: tuple[tuple[str, str], ...]


def trace(experiment: Experiment, content: Content) -> tuple[Link, ...]:
    """The chain of an experiment's results; hashes are those that `content` cites."""
    links = _datasets([run.record for run in content.runs])
    datasets = tuple(link.name for link in links)
    evaluations = []
    for run in experiment.runs:
        own = [source for source in content.sources if source.run == run.name]
        files = _files(own, "/run.json", "/policy.safetensors")
        links.append(Link("Run", run.name, f"training seed {run.seed}", datasets, files))
        for evaluation in run.evaluations:
            folder = f"/{run.name}/{evaluation.name}"
            files = _files(own, f"{folder}/evaluation.json", f"{folder}/episodes.parquet")
            what = CONDITIONS[evaluation.condition]
            name = f"{run.name}/{evaluation.name}"
            evaluations.append(Link("Evaluation", name, what, (run.name,), files))
    summary = experiment.documents["summary"].name
    files = _files(content.sources, f"/{summary}/summary.json")
    names = tuple(link.name for link in evaluations)
    rates = "rates by condition, task and seed"
    return (*links, *evaluations, Link("Summary", summary, rates, names, files))


def _datasets(runs: Sequence[RunRecord]) -> list[Link]:
    datasets = dict.fromkeys(dataset for run in runs for dataset in run.datasets)
    return [
        Link("Dataset", f"{d.name} {d.version}", "training data", (), (("content", d.content),))
        for d in datasets
    ]


def _files(sources: Sequence[Source], *endings: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (source.path.rpartition("/")[2], source.sha256)
        for ending in endings
        for source in sources
        if source.path.endswith(ending)
    )
