"""What is different about two runs, in words: configuration, data, code, software, machine."""

from typing import Any

from vla.plan.sections import changes, flat
from vla.records.circumstances import Hardware, JobRecord
from vla.records.evaluation import EvaluationRecord
from vla.records.run import RunRecord, stores_of

# Variables that say where a job ran, and those that Snakemake sets to its threads: the
# configuration has their number.
_ELSEWHERE = (
    "CUDA_VISIBLE_DEVICES",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "SLURM_JOB_ID",
)


def differences(one: JobRecord, other: JobRecord) -> dict[str, list[str]]:
    """Differences between two records of runs, or of evaluations, by kind.

    A kind without any is left out. Lines read `training.batch_size 256 → 128`.
    """
    first, second = one.identity, other.identity
    found = {
        "configuration": changes(_configuration(first), _configuration(second)),
        "data": changes(_data(first), _data(second)),
        "code": _code(first["code"], second["code"]),
        "software": changes(_software(one), _software(other)),
        "machine": changes(_machine(one.hardware), _machine(other.hardware)),
    }
    return {kind: lines for kind, lines in found.items() if lines}


def with_evaluations(
    run: dict[str, list[str]], evaluations: dict[str, dict[str, list[str]]]
) -> dict[str, list[str]]:
    """Differences of two runs and of their evaluations (by condition) as one.

    A line that is not also the runs' own says in which evaluations it holds: these may have used
    other software, on another machine, than the training.
    """
    found = {kind: list(lines) for kind, lines in run.items()}
    where: dict[tuple[str, str], list[str]] = {}
    for condition, kinds in evaluations.items():
        for kind, lines in kinds.items():
            for line in lines:
                if line not in run.get(kind, ()):
                    where.setdefault((kind, line), []).append(condition)
    for (kind, line), conditions in where.items():
        found.setdefault(kind, []).append(f"{line} (evaluation: {', '.join(conditions)})")
    return found


def _configuration(identity: dict[str, Any]) -> dict[str, Any]:
    names = ("seed", "model", "training", "evaluation", "condition", "accelerator", "threads")
    chosen = {name: identity[name] for name in names if name in identity}
    if "data" in identity:
        chosen["data"] = {"augmentation": identity["data"]["augmentation"]}
    return flat(chosen)


def _data(identity: dict[str, Any]) -> dict[str, Any]:
    """Of a run; an evaluation has its run's."""
    if "data" not in identity:
        return {}
    names = ("dataset", "cameras", "content", "share")
    stores = [{n: store[n] for n in names if n in store} for store in stores_of(identity)]
    if len(stores) == 1:
        return flat(stores[0])
    return flat({f"store {number}": store for number, store in enumerate(stores, 1)})


def _code(one: dict[str, str], other: dict[str, str]) -> list[str]:
    words = {(True, True): "changed", (True, False): "is gone", (False, True): "is new"}
    return [
        f"{name} {words[name in one, name in other]}"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def _software(record: JobRecord) -> dict[str, Any]:
    environment, torch = record.environment, record.environment.torch
    lock = {"lock": environment.lock[:12]} if environment.lock else {}
    evaluated = isinstance(record, EvaluationRecord)
    renderer = flat({"renderer": record.renderer}) if evaluated else {}
    conda = environment.conda_packages
    variables = {n: v for n, v in environment.variables.items() if n not in _ELSEWHERE}
    return {
        "deployment": environment.deployment,
        **lock,
        "python": environment.python,
        "CUDA": torch.cuda if torch else None,
        "cuDNN": torch.cudnn if torch else None,
        **(torch.libraries if torch else {}),
        "C library": environment.libc,
        **flat({"determinism": _determinism(record)}),
        **{f"variable {name}": value for name, value in variables.items()},
        **renderer,
        **environment.packages,
        **{f"conda package {name}": _shortened(build) for name, build in conda.items()},
    }


def _determinism(record: JobRecord) -> dict[str, Any]:
    if not isinstance(record, RunRecord | EvaluationRecord):
        return {}
    return record.determinism.model_dump(exclude={"threads"})  # which the configuration has


def _shortened(build: str) -> str:
    """Version and build of a conda package, with the first digits of its hash: equal builds of two
    channels are not the same bytes."""
    named, _, digest = build.partition(" sha256:")
    return f"{named} sha256:{digest[:12]}"


def _machine(hardware: Hardware) -> dict[str, Any]:
    gpus = [gpu.name for gpu in hardware.gpus]
    drivers = sorted({gpu.driver for gpu in hardware.gpus})
    return {"CPU": hardware.cpu, "GPUs": gpus, "driver": drivers}
