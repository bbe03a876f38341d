"""Reads and validates the configuration; the paths that rules use. Changes nothing on the disk."""

import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

ROOT = Path(workflow.basedir)
IS_MAIN_PROCESS = workflow.exec_mode == workflow.exec_mode.DEFAULT
sys.path.insert(0, str(ROOT))

from vla.data.places import store_record
from vla.errors import UserError
from vla.locks.files import environment_name
from vla.locks.guard import verify_finished
from vla.locks.render import check_rendered
from vla.plan.collection import collection_name
from vla.plan.deployment import Deployment
from vla.plan.figures import FORMATS, find_figures
from vla.plan.reading import load_demonstrations
from vla.plan.requests import REQUESTS, training_rule
from vla.plan.stages import simulator_kind
from vla.plan.sweeps import Sweep
from vla.process.accelerator import detect_accelerator
from vla.process.command import command_line
from vla.process.variables import choose_portable
from vla.source.snapshot import is_snapshot
from vla.upkeep.snapshots import share
from vla.workflow.clock import bring_into_present
from vla.workflow.context import JobContext
from vla.workflow.failures import last_lines
from vla.workflow.views import needed_publication

# What was imported stays until the end; the garbage collector would look through it again and again.
gc.freeze()

RUN = "experiments/{experiment}/results/{run}/run.json"
USE_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

# Settled where the workflow starts, and handed by Snakemake to jobs on other nodes.
os.environ.setdefault("VLA_ACCELERATOR", detect_accelerator(USE_CONDA))
os.environ.setdefault("VLA_COMMAND", command_line(sys.argv))
os.environ.update(PYTHONPATH=str(ROOT))  # where scripts find the library
choose_portable(os.environ)  # before jobs load what reads them
if USE_CONDA:  # packages in a home folder belong to no environment
    os.environ.update(PYTHONNOUSERSITE="1")


envvars:
    "VLA_ACCELERATOR",
    "VLA_COMMAND",


CONTEXT = JobContext(
    ROOT,
    Deployment(USE_CONDA, os.environ["VLA_ACCELERATOR"]),
    os.environ["VLA_COMMAND"],
)
config["context"] = CONTEXT.as_config()


def ask(function, *arguments):
    """Call the library; a user's mistake becomes Snakemake's error, without a traceback."""
    try:
        return function(*arguments)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def read_plan():
    plan = CONTEXT.plan(config)
    plan.report  # computes every key, so that every mistake shows at once
    return plan


def guard_environments():
    """Stop before anything runs in an environment that is not its lock."""
    folder = workflow.deployment_settings.conda_prefix or ".snakemake/conda"
    check_rendered(ROOT, PLAN.conda_environments)
    verify_finished(Path(folder), ROOT, PLAN.conda_environments)


PLAN = ask(read_plan)
FIGURES = ask(find_figures, ROOT)
COLLECTION = ask(collection_name, ROOT, PLAN.config.demonstrations, CONTEXT.deployment)
if USE_CONDA and IS_MAIN_PROCESS:
    ask(guard_environments)


def relative(path):
    return str(Path(path).relative_to(ROOT))


def experiment_of(wildcards):
    return PLAN.experiments[wildcards.experiment]


def made_by(rule):
    """Pattern of the experiments whose policies that rule makes."""
    names = [
        re.escape(name)
        for name, experiment in PLAN.experiments.items()
        if training_rule(experiment) == rule
    ]
    return "|".join(names) or "(?!)"  # which matches no name


def part_of(wildcards):
    """The experiment of a run: of a sweep the combination, whose inputs are its own."""
    experiment = experiment_of(wildcards)
    return experiment.of_run(wildcards.run) if isinstance(experiment, Sweep) else experiment


def environment(kind):
    """The conda environment of a job, by its experiment's accelerator."""
    return lambda wildcards: (
        f"../envs/{environment_name(kind, experiment_of(wildcards).accelerator)}.yaml"
    )


def simulator_environment(wildcards):
    """The conda environment of a job that simulates: a simulator may have one of its own."""
    experiment = experiment_of(wildcards)
    kind = simulator_kind(experiment.config.evaluation.simulator)
    return f"../envs/{environment_name(kind, experiment.accelerator)}.yaml"


def collector_environment(file):
    """The conda environment in which the demonstrations that `file` asks for are collected."""
    kind = simulator_kind(ask(load_demonstrations, ROOT / file).simulator)
    return f"../envs/{environment_name(kind)}.yaml"


def dataset_environment(wildcards):
    """The conda environment of the job that brings a dataset here, by DVC or by collecting it."""
    collect = PLAN.find_dataset(wildcards.dataset).collect
    return collector_environment(collect) if collect else "../envs/data.yaml"


def cores(rule):
    return lambda wildcards: REQUESTS[rule](experiment_of(wildcards)).cores


def gpus(rule):
    return lambda wildcards: REQUESTS[rule](experiment_of(wildcards)).gpus


def nodes(rule):
    return lambda wildcards: REQUESTS[rule](experiment_of(wildcards)).nodes


def gpus_together(rule):
    """Of a job on one node; 0 of one on several, whose GPUs are asked for node by node."""
    return lambda wildcards: 0 if nodes(rule)(wildcards) > 1 else gpus(rule)(wildcards)


def gpus_of_each_node(rule):
    """SLURM's words for the GPUs of each node of a job on several; none of one on one."""

    def words(wildcards):
        of_each = gpus(rule)(wildcards)
        return f"gpu:{of_each}" if of_each and nodes(rule)(wildcards) > 1 else ""

    return words


def memory(rule):
    return lambda wildcards, attempt: REQUESTS[rule](experiment_of(wildcards)).after(attempt).memory


def minutes(rule):
    return (
        lambda wildcards, attempt: REQUESTS[rule](experiment_of(wildcards)).after(attempt).minutes
    )


def verification_records():
    return [relative(ask(PLAN.verification, entry)) for entry in PLAN.datasets.values()]


def until_made(output, needs):
    """What the job of an output reads, as a function of wildcards; nothing once the output is there.

    Snakemake does a finished job again when a missing input of it is made, ancient or not. A prepared
    store is a cache: one new run that needs it must not train again what was trained from it.
    """

    def inputs(wildcards):
        return [] if (ROOT / output.format(**wildcards)).is_file() else needs(wildcards)

    return inputs


def stores_of(wildcards):
    stores = part_of(wildcards).stores
    return [ancient(relative(store_record(ROOT, store.name))) for store in stores]


def weights_of(wildcards):
    weights = part_of(wildcards).weights
    records = [ask(PLAN.weights_verification, pinned) for pinned in weights]
    return [ancient(relative(record)) for record in records]


def evaluation_records(*experiments):
    """Records of every evaluation of some experiments; what they hold is covered by keys."""
    return [
        ancient(relative(part.evaluation_record(run, evaluation)))
        for experiment in experiments
        for part in trained_to_the_end(experiment)
        for run in part.runs
        for evaluation in run.evaluations
    ]


def film_records(*experiments):
    """Records of every film of some experiments."""
    return [
        ancient(relative(record))
        for experiment in experiments
        for record in experiment.film_records()
    ]


def document(name, file):
    """A file of a document of the wildcards' experiment, such as its summary's summary.json."""
    return lambda wildcards: ancient(relative(experiment_of(wildcards).document(name, file)))


def figure_files():
    """Names of all that `plot` makes of an experiment."""
    drawn = [f"{figure.name}.{ending}" for figure in FIGURES for ending in FORMATS]
    return [*drawn, "success_rates.html", "figures.json"]


def compared(wildcards):
    comparison = PLAN.find_comparison(wildcards.comparison)
    return comparison.baseline, comparison.candidate


def readmes():
    return [
        relative(experiment.document("readme", "README.md"))
        for experiment in PLAN.experiments.values()
    ]


def report_file():
    return f"reports/{PLAN.report.name}/report.html"


def experiment_reports():
    return [
        relative(PLAN.experiment_report(name, file))
        for name in PLAN.experiments
        for file in ("report.html", "report.pdf")
    ]


def publication():
    return relative(needed_publication(PLAN))


def publish_unfinished():
    """Show what there is, in the environment of the rules that make documents; if that was not made
    yet, there is nothing to show."""
    python = sys.executable
    if USE_CONDA:
        environments = [
            e.address
            for e in workflow.dag.conda_envs.values()
            if e.file.get_filename() == f"{environment_name('analyse')}.yaml"
        ]
        python = f"{environments[0]}/bin/python" if environments else ""
    if python and Path(python).exists():
        subprocess.run([python, "-m", "vla.workflow.publication", json.dumps(config)], cwd=ROOT)


def show_failures(logs):
    """Jobs on other nodes have nobody's terminal."""
    if workflow.non_local_exec:
        for log in logs:
            print(last_lines(Path(log), ROOT), file=sys.stderr)


def bring_inputs_into_present():
    bring_into_present(ROOT, PLAN.experiments)


def share_report():
    """A snapshot's report lies in the project, as all that it makes."""
    if is_snapshot(ROOT):
        share(ROOT, f"reports/{PLAN.report.name}")
