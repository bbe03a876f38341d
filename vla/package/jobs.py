"""What a level of reproduction runs, with the code of the package, in its project's folder.

`python -m vla.package.jobs LEVEL EXPERIMENT` reads from `layout.json` where the published results lie, and
writes there where those lie that it made.
"""

import argparse
import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from vla.errors import UserError
from vla.files.atomic import write_text
from vla.package.results import layout_of
from vla.plan.deployment import Deployment
from vla.plan.items import Evaluation, Experiment, Run
from vla.plan.keys import key_of
from vla.plan.plan import Plan
from vla.records.figures import FiguresRecord
from vla.records.package import Layout, PackedRun
from vla.records.summary import SummaryRecord
from vla.workflow.context import JobContext
from vla.workflow.job import Job

LAYOUT = "layout.json"


def draw(experiment: Experiment) -> None:
    """Summary and figures from the records and episodes that are there."""
    from vla.report.drawing import draw_figures  # Matplotlib takes its time
    from vla.report.sources import read_metrics, read_source
    from vla.statistics.episodes import read_episodes
    from vla.statistics.summary import evaluation_gap, summarise

    target = experiment.config.experiment.targets.success_rate
    rates = summarise(read_episodes(experiment), target)
    floor = experiment.documents["summary"].identity["evaluation_floor"]
    gap = evaluation_gap(rates, read_metrics(experiment), floor)
    summary = SummaryRecord(experiment=experiment.name, evaluation_gap=gap, **dict(rates))
    summary.write(experiment.document("summary", "summary.json"))
    record = experiment.document("figures", "figures.json")
    figures = draw_figures(
        read_source(experiment), experiment.root, record.parent, experiment.folder
    )
    FiguresRecord(figures=figures, page=None).write(record)


def evaluate(experiment: Experiment, job: Job) -> None:
    """Every evaluation of the policies that are there, as the workflow's rule does it."""
    script = importlib.import_module("scripts.evaluate")
    workers = experiment.config.resources.evaluation_workers
    for run in experiment.runs:
        for evaluation in run.evaluations:
            record = experiment.evaluation_record(run, evaluation)
            if not record.is_file():
                print(f"Evaluating {run.name}, {evaluation.condition} ...", flush=True)
                record.parent.mkdir(parents=True, exist_ok=True)
                script.evaluate(experiment, run, evaluation, record, workers, job)


def retrain(experiment: Experiment, use_conda: bool, dirty: bool) -> None:
    """The whole workflow, from the data."""
    command = [sys.executable, "-m", "snakemake", "--quiet", "rules", "--config"]
    command += [f'experiments=["{experiment.name}"]', "comparisons=[]"]
    command += ["allow_dirty=True"] if dirty else []
    command += ["--use-conda"] if use_conda else []
    # The README needs all that the experiment has; reports over several experiments it does not.
    readme = experiment.document("readme", "README.md").relative_to(experiment.root)
    command += ["--", str(readme)]
    if subprocess.run(command, cwd=experiment.root).returncode:
        raise UserError(
            f"The workflow failed in {experiment.root}.", "See its message above; start it again."
        )


def with_published_runs(experiment: Experiment, layout: Layout) -> Experiment:
    """The experiment with the published runs in place of those that would be trained here.

    Their evaluations have the keys that they get with this code and environment.
    """
    return replace(
        experiment,
        runs=tuple(
            replace(
                run,
                name=packed.name,
                key=packed.key,
                evaluations=tuple(
                    _of_run(evaluation, packed.key) for evaluation in run.evaluations
                ),
            )
            for run, packed in _paired(experiment, layout)
        ),
    )


def _of_run(evaluation: Evaluation, run: str) -> Evaluation:
    identity = evaluation.identity | {"run": run}
    key = key_of(identity)
    return replace(evaluation, name=f"{evaluation.condition}-{key}", key=key, identity=identity)


def as_published(experiment: Experiment, layout: Layout) -> Experiment:
    """The experiment with runs, evaluations and documents where the package has them."""
    runs = []
    for run, packed in _paired(experiment, layout):
        names = {evaluation.condition: evaluation for evaluation in packed.evaluations}
        evaluations = tuple(
            replace(e, name=names[e.condition].name, key=names[e.condition].key)
            for e in run.evaluations
        )
        runs.append(replace(run, name=packed.name, key=packed.key, evaluations=evaluations))
    documents = {
        name: replace(item, name=layout.documents.get(name, item.name))
        for name, item in experiment.documents.items()
    }
    return replace(experiment, runs=tuple(runs), documents=documents)


def _paired(experiment: Experiment, layout: Layout) -> list[tuple[Run, PackedRun]]:
    """Each published run, behind the planned one of its seed."""
    planned = {run.seed: run for run in experiment.runs}
    return [(planned[run.seed], run) for run in layout.runs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level", choices=("figures", "evaluate", "retrain"))
    parser.add_argument("experiment")
    parser.add_argument("--use-conda", action="store_true")
    parser.add_argument("--dirty", action="store_true")
    options = parser.parse_args()
    root = Path.cwd()
    config = {"experiments": [options.experiment], "comparisons": [], "allow_dirty": options.dirty}
    command = f"python reproduce.py --level {options.level}"
    context = JobContext(root, Deployment.here(options.use_conda), command)
    layout = Layout.model_validate_json((root / LAYOUT).read_bytes())
    experiment = Plan(root, config, context.deployment).find_experiment(options.experiment)
    if options.level == "retrain":
        retrain(experiment, options.use_conda, options.dirty)
        layout = layout_of(experiment)
    elif options.level == "evaluate":
        experiment = with_published_runs(experiment, layout)
        evaluate(experiment, Job(context, config))
        layout = layout_of(experiment)
    else:
        draw(as_published(experiment, layout))
    write_text(root / LAYOUT, layout.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
