"""Whether a cluster would take an experiment's jobs: asked of SLURM before hours are lost in its queue."""

import getpass
import re
from collections.abc import Callable
from dataclasses import dataclass

from vla.checks.profile import Profile, Submission
from vla.errors import UserError
from vla.plan.items import Experiment
from vla.plan.requests import requests_of
from vla.process.slurm import ask
from vla.records.check import Finding

SHORTEST_MEMORY = 240  # seconds; the executor asks for jobs every three minutes at most


def check_cluster(experiment: Experiment, profile: Profile) -> list[Finding]:
    """One line for the controller, then one for each kind of job."""
    try:
        ask("scontrol", "ping")
        facts = ask("scontrol", "show", "config")
    except UserError as error:
        return [Finding("cluster", "fail", error.problem, error.way_out)]
    return [_controller(facts), *_accelerator(experiment), *_jobs(experiment, profile)]


def _controller(facts: str) -> Finding:
    """Finished jobs are forgotten after MinJobAge; the executor must have seen them before."""
    name = re.search(r"^ClusterName\s*= (\S+)", facts, re.MULTILINE)
    found = f"SLURM answers ({name[1] if name else 'without a name'})"
    age = re.search(r"^MinJobAge\s*= (\d+)", facts, re.MULTILINE)
    if age and int(age[1]) < SHORTEST_MEMORY:
        way_out = "If accounting is on (`sacct` answers), set slurm-status-command: sacct."
        return Finding(
            "cluster", "warn", f"{found}; it forgets finished jobs after {age[1]} s", way_out
        )
    return Finding("cluster", "ok", found)


def _accelerator(experiment: Experiment) -> list[Finding]:
    if experiment.config.resources.accelerator != "auto":
        return []
    found = f"auto, which means {experiment.accelerator} where Snakemake starts"
    way_out = "Login nodes seldom have a GPU: set resources.accelerator: cuda (or cpu)."
    return [Finding("accelerator", "warn", found, way_out)]


def _jobs(experiment: Experiment, profile: Profile) -> list[Finding]:
    """Rules whose jobs ask for the same share a line."""
    rules: dict[tuple[str, ...], list[str]] = {}
    submissions = {}
    for rule, request in requests_of(experiment).items():
        submission = profile.submission(rule, request)
        key = tuple(submission.options())
        rules.setdefault(key, []).append(rule)
        submissions[key] = submission
    return [
        _job(f"job of {', '.join(names)}", submissions[key], profile)
        for key, names in rules.items()
    ]


def _job(name: str, submission: Submission, profile: Profile) -> Finding:
    """What `sbatch --test-only` says, which submits nothing."""
    try:
        ask("sbatch", "--test-only", *submission.options(), "--wrap=true")
    except UserError as error:
        for refusal in REFUSALS:
            if re.search(refusal.words, error.problem, re.IGNORECASE):
                found, way_out = refusal.explain(submission)
                return Finding(name, "fail", found, f"{way_out} ({profile.file}).")
        return Finding(name, "fail", error.problem, f"See {profile.file}.")
    return Finding(name, "ok", _describe(submission))


def _describe(submission: Submission) -> str:
    asked, site = submission.request, submission.site
    gpus = (
        f", {asked.gpus} {site.get('gpu_model', '')} GPU".replace("  ", " ") if asked.gpus else ""
    )
    nodes = f"{asked.nodes} nodes with " if asked.nodes > 1 else ""
    return (
        f"{nodes}{asked.cores} cores{gpus}, {asked.memory / 1000:g} GB, {asked.minutes / 60:g} h "
        f"in {site.get('slurm_partition', 'the default partition')}"
    )


def _partition(submission: Submission) -> tuple[str, str]:
    names = ", ".join(sorted(set(_sinfo("%R"))))
    found = f"there is no partition {submission.site.get('slurm_partition')!r}"
    return found, f"Set slurm_partition to one of: {names}"


def _account(submission: Submission) -> tuple[str, str]:
    account, partition = (submission.site.get(f"slurm_{what}") for what in ("account", "partition"))
    try:
        mine = ask(
            "sacctmgr",
            "-nP",
            "show",
            "assoc",
            "where",
            f"user={getpass.getuser()}",
            "format=account",
        ).split()
    except UserError:
        mine = []
    yours = f"yours: {', '.join(sorted(set(mine)))}" if mine else "ask the administrators for yours"
    found = f"account {account!r} may not use partition {partition!r}"
    return found, f"Set slurm_account ({yours})"


def _nodes(submission: Submission) -> tuple[str, str]:
    """No node has what is asked for: beside what they have."""
    partition = submission.site.get("slurm_partition")
    nodes = sorted(set(_sinfo("%c cores, %m MB, %G", partition)))
    found = f"no node has {_describe(submission)}; nodes there have: {'; '.join(nodes)}"
    settings = "resources.training_memory_gb, training_threads or loader_workers of the experiment"
    if submission.request.gpus:
        settings = f"gpu, gpu_model, slurm_partition, or {settings}"
    return found, f"Change {settings}"


def _time(submission: Submission) -> tuple[str, str]:
    partition = submission.site.get("slurm_partition")
    limits = ", ".join(sorted(set(_sinfo("%l", partition))))
    found = f"{submission.request.minutes / 60:g} h are asked for; {partition} allows {limits}"
    return found, (
        "Set resources.training_hours and evaluation_hours of the experiment (longer work goes on in "
        "the next job), or another slurm_partition"
    )


def _setting(name: str) -> Callable[[Submission], tuple[str, str]]:
    def explain(submission: Submission) -> tuple[str, str]:
        return f"{name} {submission.site.get(name)!r} is unknown there", f"Change {name}"

    return explain


def _sinfo(layout: str, partition: str | None = None) -> list[str]:
    where = ["-p", partition] if partition else []
    try:
        return ask("sinfo", "-h", "-o", layout, *where).splitlines()
    except UserError:
        return ["unknown"]


@dataclass(frozen=True)
class Refusal:
    """`words`: a pattern of what SLURM says; `explain`: what was found, and the setting to change."""

    words: str
    explain: Callable[[Submission], tuple[str, str]]


REFUSALS = (
    Refusal("invalid partition", _partition),
    Refusal("invalid account", _account),
    Refusal("invalid qos", _setting("qos")),
    Refusal("invalid feature", _setting("constraint")),
    Refusal("time limit", _time),
    Refusal("node configuration|processors requested|generic resource|memory spec", _nodes),
)
