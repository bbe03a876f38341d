"""Reads and validates the configuration; the paths that rules use. Makes nothing."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

ROOT = Path(workflow.basedir)
USE_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
IS_MAIN_PROCESS = workflow.exec_mode == workflow.exec_mode.DEFAULT
sys.path.insert(0, str(ROOT))

from vla.workflow.clock import bring_into_present
from vla.locks.files import environment_name
from vla.locks.guard import verify_finished
from vla.locks.render import check_rendered
from vla.errors import UserError
from vla.plan.figures import find_figures
from vla.plan.plan import Plan
from vla.plan.plan import collection_name
from vla.process.accelerator import VARIABLE as ACCELERATOR
from vla.process.accelerator import detect_accelerator
from vla.records.record import COMMAND
from vla.records.record import command_line
from vla.workflow.views import publish_views

# What jobs find out here: where the library lies, and what this call of Snakemake has settled.
os.environ.update(PYTHONPATH=str(ROOT), VLA_USE_CONDA=str(int(USE_CONDA)))
os.environ.setdefault(ACCELERATOR, detect_accelerator(USE_CONDA))
os.environ.setdefault(COMMAND, command_line(sys.argv))
if USE_CONDA:  # packages in a home folder belong to no environment
    os.environ.update(PYTHONNOUSERSITE="1")


envvars:
    ACCELERATOR,


def ask(function, *arguments):
    """Call the library; a user's mistake becomes Snakemake's error, without a traceback."""
    try:
        return function(*arguments)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def read_plan():
    plan = Plan(ROOT, config, USE_CONDA)
    plan.report  # computes every key, so that every mistake shows at once
    return plan


def guard_environments():
    """Stop before anything runs in an environment that is not its lock."""
    folder = workflow.deployment_settings.conda_prefix or ".snakemake/conda"
    check_rendered(ROOT, PLAN.conda_environments)
    verify_finished(Path(folder), ROOT, PLAN.conda_environments)


PLAN = ask(read_plan)
FIGURES = ask(find_figures, ROOT)
COLLECTION = ask(collection_name, ROOT, USE_CONDA)
if USE_CONDA and IS_MAIN_PROCESS:
    ask(guard_environments)


def relative(path):
    return str(Path(path).relative_to(ROOT))


def experiment_of(wildcards):
    return PLAN.experiments[wildcards.experiment]


def environment(kind):
    """The conda environment of a job, by its experiment's accelerator."""
    return lambda wildcards: (
        f"../envs/{environment_name(kind, experiment_of(wildcards).accelerator)}.yaml"
    )


def training_cores(wildcards):
    """A GPU's job waits for its kernels while others load; on a CPU, loading is little beside training."""
    resources = experiment_of(wildcards).config.resources
    return max(resources.training_threads, resources.loader_workers)


def gpus(wildcards):
    return int(experiment_of(wildcards).accelerator == "cuda")


def verification_records():
    return [relative(ask(PLAN.verification, entry)) for entry in PLAN.datasets.values()]


def store_of(experiment):
    return f"data/.prepared/{experiment.store.name}/prepared.json"


def evaluation_records(*experiments):
    """Records of every evaluation of some experiments; what they hold is covered by keys."""
    return [
        ancient(relative(experiment.evaluation_record(run, evaluation)))
        for experiment in experiments
        for run in experiment.runs
        for evaluation in run.evaluations
    ]


def item_path(experiment, item, *parts):
    return relative(experiment.results(item.name, *parts))


def figure_files():
    """Names of all that `plot` makes of an experiment."""
    drawn = [f"{figure.name}.{ending}" for figure in FIGURES for ending in ("svg", "csv")]
    return [*drawn, "success_rates.html", "figures.json"]


def compared(wildcards):
    comparison = PLAN.find_comparison(wildcards.comparison)
    return comparison.baseline, comparison.candidate


def readmes():
    return [item_path(e, e.readme, "README.md") for e in PLAN.experiments.values()]


def report_file():
    return f"reports/{PLAN.report.name}/report.html"


def publish():
    """Show what there is when the workflow has ended, well or not; pandas and Matplotlib take a
    second that its start need not wait for."""
    from vla.workflow.ending import publish_ending

    ask(publish_ending, PLAN)


if IS_MAIN_PROCESS and not workflow.dryrun:
    bring_into_present(ROOT, PLAN.experiments)
    # Going back to an old configuration makes nothing anew, but shows the old results again.
    publish_views(PLAN)
