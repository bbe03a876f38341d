"""The environment a job runs in: its identity (part of the key) and its full record."""

import importlib.metadata
import os
import platform
import socket
import sys
from pathlib import Path
from typing import Any

import psutil

from vla.errors import UserError
from vla.files import sha256_file

# Distributions that decide what a job of each kind computes.
DISTRIBUTIONS = {
    "data": ("av", "numpy", "pyarrow"),
    "train": ("numpy", "safetensors", "torch"),
    "evaluate": ("gymnasium", "metaworld", "mujoco", "numpy", "safetensors", "torch"),
    "analyse": ("jinja2", "matplotlib", "numpy", "pandas", "scipy", "statsmodels"),
}


def environment_identity(kind: str, root: Path, use_conda: bool) -> dict[str, str]:
    """What a key says of the environment of jobs of that kind.

    Under `--use-conda` the hash of the environment's lock; otherwise the host's versions of Python
    and of the distributions that matter.
    """
    if use_conda:
        pin = root / f"envs/{kind}.linux-64.pin.txt"
        if not pin.is_file():
            raise UserError(
                f"--use-conda: {pin} is missing, and without it conda would pick versions itself.",
                "Run without --use-conda: the host environment is pinned by envs/host.lock.txt.",
            )
        return {"lock": sha256_file(pin)}
    versions = {name: importlib.metadata.version(name) for name in DISTRIBUTIONS[kind]}
    return {"python": platform.python_version(), **versions}


def capture_environment() -> dict[str, Any]:
    """Everything about this process's environment and machine that a reader may ask for later.

    Never holds environment variables but those named here, so that no secret reaches a record.
    """
    packages = {
        distribution.metadata["Name"]: distribution.version
        for distribution in importlib.metadata.distributions()
    }
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "hostname": socket.gethostname(),
        "cpu": _cpu_model(),
        "cpu_cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "cpu_threads": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "variables": {
            name: os.environ[name]
            for name in ("CUDA_VISIBLE_DEVICES", "MUJOCO_GL", "OMP_NUM_THREADS", "SLURM_JOB_ID")
            if name in os.environ
        },
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def capture_torch() -> dict[str, Any]:
    """PyTorch, CUDA, cuDNN and GPUs as this process sees them."""
    import torch

    gpus = [
        torch.cuda.get_device_properties(number).name for number in range(torch.cuda.device_count())
    ]
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if torch.cuda.is_available() else None,
        "gpus": gpus,
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
