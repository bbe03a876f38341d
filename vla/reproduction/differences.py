"""What is different about two runs, in words: configuration, data, code, software, machine."""

from typing import Any

ABSENT = "(absent)"


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, list[str]]:
    """Differences between two records of runs, by kind; a kind without any is left out.

    Lines read `training.batch_size 256 → 128`.
    """
    first, second = one["identity"], other["identity"]
    found = {
        "configuration": changes(_configuration(first), _configuration(second)),
        "data": changes(_data(first), _data(second)),
        "code": _code(first["code"], second["code"]),
        "software": changes(_software(one["environment"]), _software(other["environment"])),
        "machine": changes(_machine(one["hardware"]), _machine(other["hardware"])),
    }
    return {kind: lines for kind, lines in found.items() if lines}


def _configuration(identity: dict[str, Any]) -> dict[str, Any]:
    names = ("seed", "model", "training", "evaluation", "condition", "accelerator", "threads")
    chosen = {name: identity[name] for name in names if name in identity}
    if "data" in identity:
        chosen["data"] = {"augmentation": identity["data"]["augmentation"]}
    return flat(chosen)


def _data(identity: dict[str, Any]) -> dict[str, Any]:
    """Of a run; an evaluation names its run instead."""
    if "data" not in identity:
        return {"run": identity["run"]}
    store = identity["data"]["store"]
    return flat({"dataset": store["dataset"], "cameras": store["cameras"]})


def _code(one: dict[str, str], other: dict[str, str]) -> list[str]:
    words = {(True, True): "changed", (True, False): "is gone", (False, True): "is new"}
    return [
        f"{name} {words[name in one, name in other]}"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def _software(environment: dict[str, Any]) -> dict[str, Any]:
    torch = environment["torch"] or {}
    return {
        "deployment": environment["deployment"],
        "python": environment["python"],
        "CUDA": torch.get("cuda"),
        "cuDNN": torch.get("cudnn"),
        **environment["packages"],
    }


def _machine(hardware: dict[str, Any]) -> dict[str, Any]:
    gpus = [gpu["name"] for gpu in hardware["gpus"]]
    drivers = sorted({gpu["driver"] for gpu in hardware["gpus"]})
    return {"CPU": hardware["cpu"], "GPUs": gpus, "driver": drivers}


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested sections as one level: `training.batch_size`."""
    values: dict[str, Any] = {}
    for name, content in value.items():
        if isinstance(content, dict):
            values |= flat(content, f"{prefix}{name}.")
        else:
            values[prefix + name] = content
    return values


def changes(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """`name old → new` for each name whose values differ."""
    return [
        f"{name} {one.get(name, ABSENT)} → {other.get(name, ABSENT)}"
        for name in [*one, *(name for name in other if name not in one)]
        if one.get(name, ABSENT) != other.get(name, ABSENT)
    ]
