"""Published results: records and episode tables of finished experiments, kept in git.

`published/E/` is laid out as `experiments/E/`, without weights, whose SHA-256 stands in the records: so
every clone can be compared with what was published, and `vla verify` reads either side.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from vla.errors import UserError
from vla.files.atomic import write_atomic
from vla.files.described import File, check_file
from vla.plan.items import Experiment, Run
from vla.records.evaluation import EvaluationRecord
from vla.reproduction.differences import differences, with_evaluations
from vla.reproduction.verify import FinishedRun, pair_evaluations, read_run

FOLDER = "published"


@dataclass
class Reproduction:
    """How many of the published artefacts were reproduced bit for bit.

    `others`: pairs of folders, published and here, of runs that were not; `found`: in which facts
    these differ, by kind.
    """

    policies: int = 0
    same_policies: int = 0
    tables: int = 0
    same_tables: int = 0
    missing: list[str] = field(default_factory=list)
    others: list[tuple[Path, Path]] = field(default_factory=list)
    found: dict[str, set[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"Reproduced bit for bit: {self.same_policies} of {self.policies} published policies, "
            f"{self.same_tables} of {self.tables} tables of episodes."
        )


def publish(experiment: Experiment) -> list[Path]:
    """Copy what is published of a finished experiment; what was published of it before goes.

    `UserError` when it is not finished. Returns the files.
    """
    summary = experiment.document("summary", "summary.json")
    if not summary.is_file():
        raise UserError(
            f"{experiment.name} is not finished as it is configured now.", "Run snakemake first."
        )
    files = [summary]
    for run in experiment.runs:
        files.append(experiment.run_record(run))
        for evaluation in run.evaluations:
            path = experiment.evaluation_record(run, evaluation)
            episodes = EvaluationRecord.read(path).files.episodes
            files += [path, check_file(episodes, experiment.folder)]
    folder = experiment.root / FOLDER / experiment.name
    shutil.rmtree(folder, ignore_errors=True)
    copies = []
    for file in files:
        copy = folder / file.relative_to(experiment.folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(copy, lambda path, file=file: shutil.copyfile(file, path))
        copies.append(copy)
    return copies


def compare_published(experiments: list[Experiment]) -> Reproduction:
    """Compare the runs of experiments with the published ones of the same seed."""
    result = Reproduction()
    for experiment in experiments:
        for folder in sorted(experiment.root.glob(f"{FOLDER}/{experiment.name}/results/seed*")):
            published = read_run(folder)
            run = _of_seed(experiment, published.record.seed)
            if run is None or not experiment.run_record(run).is_file():
                result.missing.append(f"{experiment.name}, seed {published.record.seed}")
                result.policies += 1
                result.tables += len(published.evaluations)
            else:
                _compare(published, read_run(experiment.run_record(run)), result)
    return result


def _of_seed(experiment: Experiment, seed: int) -> Run | None:
    return next((run for run in experiment.runs if run.seed == seed), None)


def _compare(published: FinishedRun, here: FinishedRun, result: Reproduction) -> None:
    pairs, _ = pair_evaluations(published, here)
    same_policy = _same(here, published.record.files.policy, here.record.files.policy)
    same_tables = sum(
        _same(here, one.files.episodes, other.files.episodes) for one, other in pairs.values()
    )
    result.policies += 1
    result.same_policies += same_policy
    result.tables += len(published.evaluations)
    result.same_tables += same_tables
    if same_policy and same_tables == len(published.evaluations):
        return
    result.others.append((published.path.parent, here.path.parent))
    found = with_evaluations(
        differences(published.record, here.record),
        {condition: differences(*pair) for condition, pair in pairs.items()},
    )
    for kind, lines in found.items():
        result.found.setdefault(kind, set()).update(lines)


def _same(here: FinishedRun, published: File, own: File) -> bool:
    """Whether the file here has the published bytes; `UserError` when it changed since its record."""
    return here.has(own) and own.sha256 == published.sha256
