"""What must be there before an experiment runs: found, with figures, before hours are wasted."""

import os
import shutil
from pathlib import Path
from statistics import median

import psutil
import torch

from vla.checks.dataset import can_be_pulled, missing_files
from vla.checks.estimates import (
    Need,
    disk_needs,
    earlier_seconds_a_step,
    evaluation_bytes,
    parameter_count,
    training_bytes,
    training_steps,
)
from vla.checks.nodes import node_findings
from vla.checks.simulators import simulator_findings
from vla.checks.trackers import tracker_findings
from vla.config.imported import ImportedModel
from vla.data.dvc import committed_secrets, remote
from vla.data.manifest import content_hash
from vla.data.pointer import read_pins
from vla.errors import UserError
from vla.plan.items import Experiment, Store
from vla.plan.missing import MissingError
from vla.process.accelerator import visible_gpus
from vla.process.determinism import choose_device
from vla.process.portable import lacks_portable
from vla.records.check import Finding
from vla.source.git import git_state, may_decide
from vla.weights.pinned import PinnedWeights
from vla.words import duration, size

GB = 1e9
UNKNOWN = "unknown before the data is here"


def check_experiment(experiment: Experiment, root: Path, allow_dirty: bool) -> list[Finding]:
    """Every check, in the order in which people would ask."""
    parameters, model = _model(experiment)
    return [
        *_words(experiment),
        _code(root, allow_dirty),
        *(_dataset(store, root) for store in experiment.stores),
        *(_weights(weights) for weights in experiment.weights),
        model,
        *_disks(experiment, parameters),
        *_device(experiment, parameters),
        *node_findings(experiment),
        *simulator_findings(experiment),
        *tracker_findings(experiment),
        _time(experiment),
    ]


def missing_findings(error: MissingError) -> list[Finding]:
    """What an experiment lacks before anything else about it can be found."""
    lacks = error.missing.items()
    return [Finding(what, "fail", lack.problem, lack.way_out) for what, lack in lacks]


def require(findings: list[Finding], name: str) -> None:
    """`UserError` with every failed line and what to do about it."""
    failed = [finding for finding in findings if finding.status == "fail"]
    if failed:
        lines = "\n".join(f"  {f.name}: {f.found}\n    {f.way_out}" for f in failed)
        raise UserError(
            f"{name} is not ready to run:\n{lines}", f"Mend these; `vla check {name}` looks again."
        )


def _words(experiment: Experiment) -> list[Finding]:
    """What people write before they run, and read in a year."""
    about, source = experiment.config.experiment, experiment.folder / "config.yaml"
    written = {
        "hypothesis": about.hypothesis,
        "plan": about.plan,
        "goals": about.goals,
        "risks": about.risks,
        "targets": about.targets.success_rate is not None,
    }
    asked = {
        "hypothesis": "what you expect, and why",
        "plan": "the steps that test the hypothesis",
        "goals": "what the experiment is for",
        "risks": "what can go wrong, with level and mitigation",
        "targets": "what counts as success: targets: {success_rate: 0.85}",
    }
    return [
        Finding(name, "ok", "written")
        if there
        else Finding(name, "fail", "empty", f"Write experiment.{name} in {source}: {asked[name]}.")
        for name, there in written.items()
    ]


def _code(root: Path, allow_dirty: bool) -> Finding:
    state = git_state(root)
    if state["commit"] is None:
        return Finding(
            "code", "warn", "outside git", "Records will name no commit: git init, git commit."
        )
    deciding = [name for name in state["dirty"] if may_decide(name)]
    others = [name for name in state["dirty"] if not may_decide(name)]
    told = f"; {_list(others)} decide nothing" if others else ""
    if not deciding:
        return Finding("code", "ok", f"committed, {state['commit'][:12]}{told}")
    found = f"{len(deciding)} uncommitted: {_list(deciding)}{told}"
    if allow_dirty:
        return Finding("code", "warn", found, "The record keeps them as a patch (allow_dirty).")
    return Finding(
        "code",
        "fail",
        found,
        "git commit them; or set allow_dirty: true in config/config.yaml, and the record keeps a patch.",
    )


def _list(names: list[str]) -> str:
    """The first few of them."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _dataset(store: Store, root: Path) -> Finding:
    entry, open_secrets = store.entry, committed_secrets(root)
    if open_secrets:
        return Finding(
            "dataset",
            "fail",
            f".dvc/config holds {_list(open_secrets)}: git, records and packages would show it",
            "Take it out there, and set it with `dvc remote modify --local`; change what was committed.",
        )
    try:
        manifest = read_pins(entry, root).manifest
    except UserError as error:
        return Finding("dataset", "fail", error.problem, error.way_out)
    count, missing = len(manifest.files), missing_files(entry, manifest, root)
    what = f"{store.dataset} {entry.version}, content {content_hash(manifest)[:12]}"
    if not missing:
        return Finding("dataset", "ok", f"{what}, {count} files here")
    found = f"{what}, {count - len(missing)} of {count} files here"
    if entry.collect:
        return Finding("dataset", "ok", f"{found}; collected by {entry.collect}, then verified")
    if can_be_pulled(entry, missing, root):
        source = remote(root, entry.remote)
        return Finding("dataset", "ok", f"{found}; dvc pull brings the rest from {source}")
    return Finding(
        "dataset",
        "fail",
        found,
        f"No DVC remote or cache has the rest: see data/README.md, then dvc pull {entry.path}.dvc",
    )


def _weights(weights: PinnedWeights) -> Finding:
    missing, what = weights.missing(), f"{weights.name}, content {weights.content[:12]}"
    if not missing:
        return Finding("weights", "ok", f"{what}, {len(weights.files)} files here")
    still = size(sum(file.bytes for file in missing))
    return Finding("weights", "ok", f"{what}; {still} still to come from {weights.source}")


def _model(experiment: Experiment) -> tuple[int | None, Finding]:
    try:
        parameters = parameter_count(experiment)
    except UserError as error:
        return None, Finding("model", "fail", error.problem, error.way_out)
    if parameters is None:
        return None, Finding("model", "ok", f"its size is {UNKNOWN}")
    taken = ", taken as they come" if _is_imported(experiment) else ""
    return parameters, Finding("model", "ok", f"about {parameters / 1e6:.2f} M parameters{taken}")


def _is_imported(experiment: Experiment) -> bool:
    return isinstance(experiment.config.model, ImportedModel)


def _disks(experiment: Experiment, parameters: int | None) -> list[Finding]:
    """One line a file system: the experiment's, and that of the data where it is another."""
    by_device: dict[int, list[Need]] = {}
    for need in disk_needs(experiment, parameters):
        by_device.setdefault(_existing(need.folder).stat().st_dev, []).append(need)
    return [_disk(experiment, needs) for needs in by_device.values()]


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _disk(experiment: Experiment, needs: list[Need]) -> Finding:
    folder = _existing(needs[0].folder)
    name = (
        "disk" if folder == experiment.folder else f"disk of {folder.relative_to(experiment.root)}"
    )
    free, needed = shutil.disk_usage(folder).free, sum(need.count or 0 for need in needs)
    reserve = experiment.config.resources.disk_gb * GB
    parts = ", ".join(
        f"{need.what} {UNKNOWN if need.count is None else size(need.count)}" for need in needs
    )
    found = f"{size(free)} free; {size(needed)} needed ({parts}); {size(reserve)} stay free"
    missing = needed + reserve - free
    if missing <= 0:
        return Finding(name, "ok", found)
    return Finding(
        name,
        "fail",
        found,
        f"Free {size(missing)} (vla clean shows what can go), keep fewer checkpoints "
        "(checkpoints.keep_last), or lower resources.disk_gb.",
    )


def _device(experiment: Experiment, parameters: int | None) -> list[Finding]:
    config = experiment.config
    try:
        device = choose_device(experiment.accelerator)
    except UserError as error:
        return [Finding("device", "fail", error.problem, error.way_out)]
    portable = config.training.determinism == "portable"
    if device.type == "cpu" and portable and (missing := lacks_portable()):
        return [
            Finding(
                "device",
                "fail",
                f"training.determinism is portable, and this processor is not: {missing}",
                "Set training.determinism: strict, which repeats bits on its kind alone.",
            )
        ]
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        memory, name = gpu.total_memory / GB, gpu.name
        # An older GPU emulates bf16, which is slower than fp32.
        capable = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        memory, name = psutil.virtual_memory().available / GB, f"CPU, {os.cpu_count()} threads"
        idle = [gpu["name"] for gpu in visible_gpus()]
        if idle:
            name += f" (and {', '.join(idle)}, which resources.accelerator: cpu leaves idle)"
        capable = config.training.precision == "fp32"
    findings = [_memory(name, memory, parameters, experiment)]
    if config.training.precision == "bf16" and not capable:
        findings.append(
            Finding("precision", "warn", f"bf16 is slow on {name}", "Set training.precision: fp32.")
        )
    return findings


def _memory(device: str, memory: float, parameters: int | None, experiment: Experiment) -> Finding:
    """Whether `memory` (GB) holds what training, or running an imported policy, takes besides
    activations. Processes on a CPU share its memory."""
    held, parts = evaluation_bytes(experiment, parameters), "weights"
    if held is None:
        return Finding("device", "ok", f"{device}; what training takes is {UNKNOWN}")
    config, needed = experiment.config, held / GB
    ways = ["a smaller model", "a device with more memory"]
    if _is_imported(experiment):
        if experiment.accelerator != "cpu" and config.evaluation.batch_size == 1:
            ways.append(
                "evaluation.batch_size: 8 (one copy for all resources.evaluation_workers of a GPU)"
            )
    else:
        ways.append("more devices (training.sharding: fsdp2, docs/clusters.md)")
        parts = "weights, gradients and AdamW"
        needed = training_bytes(config, parameters) / GB
        if config.training.sharding != "none":
            parts = f"a shard of {parts}"
        if experiment.accelerator == "cpu":
            needed *= config.resources.training_processes // config.resources.nodes
    if needed <= memory:
        return Finding("device", "ok", device)
    return Finding(
        "device",
        "fail",
        f"{device}: {needed:.1f} GB for {parts}, {memory:.1f} GB of memory",
        f"Take {', '.join(ways[:-1])} or {ways[-1]}.",
    )


def _time(experiment: Experiment) -> Finding:
    if _is_imported(experiment):
        return Finding("time", "ok", "nothing is trained")
    steps, count = training_steps(experiment)
    speeds = earlier_seconds_a_step(experiment)
    if not speeds:
        return Finding("time", "ok", f"{count}; no earlier run of this kind tells how long")
    took = duration(median(speeds) * steps)
    what = " of GPU time" if experiment.accelerator == "cuda" else ""
    runs = f"{len(speeds)} earlier run{'s' if len(speeds) > 1 else ''}"
    return Finding("time", "ok", f"{count}, about {took}{what} (from {runs})")
