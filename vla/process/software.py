"""The software and the machine a job runs on, as records hold them."""

import importlib.metadata
import os
import platform
import re
import socket
import sys
from pathlib import Path

import psutil
from threadpoolctl import threadpool_info

from vla.locks.files import lock_hash
from vla.locks.guard import conda_packages, environment_at
from vla.process.accelerator import visible_gpus
from vla.process.variables import OVERRULED, PORTABLE
from vla.records.circumstances import Environment, Hardware, ThreadPool, Torch

# Variables that results can depend on. Records hold these and no others.
RECORDED = (
    *PORTABLE,
    *OVERRULED,
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "GALLIUM_DRIVER",
    "MKL_NUM_THREADS",
    "MUJOCO_GL",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "SLURM_JOB_ID",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)


def capture_environment(root: Path) -> Environment:
    """The software of this process: which environment, every package, PyTorch as it is loaded.

    Never holds environment variables but those named here, so that no secret reaches a record.
    """
    pools = [
        {name: library[name] for name in ThreadPool.model_fields} for library in threadpool_info()
    ]
    return Environment(
        **_deployment(root),
        python=platform.python_version(),
        libc=" ".join(platform.libc_ver()).strip() or None,
        executable=sys.executable,
        variables={name: os.environ[name] for name in RECORDED if name in os.environ},
        torch=_torch(),
        threads=tuple(ThreadPool(**pool) for pool in pools),
        packages=dict(sorted(_packages().items(), key=lambda item: item[0].lower())),
    )


def capture_hardware() -> Hardware:
    """The machine: processor, memory, GPUs with their driver, kernel."""
    return Hardware(
        hostname=socket.gethostname(),
        platform=platform.platform(),
        cpu=_cpu_model(),
        cpu_cores=psutil.cpu_count(logical=False) or os.cpu_count(),
        cpu_threads=os.cpu_count(),
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        gpus=visible_gpus(),
    )


def _deployment(root: Path) -> dict[str, str | dict[str, str]]:
    files = environment_at(Path(sys.prefix), root)
    if not files:
        return {"deployment": "host"}
    return {
        "deployment": "conda",
        "name": files.name,
        "lock": lock_hash(files),
        "conda_packages": {
            record["name"]: f"{record['version']} {record['build']} sha256:{record['sha256']}"
            for record in conda_packages(Path(sys.prefix))
        },
    }


def _packages() -> dict[str, str]:
    """Version of every installed package, by name."""
    packages: dict[str, str] = {}
    # Snakemake names folders of packages twice on the path of a script.
    for distribution in importlib.metadata.distributions(path=list(dict.fromkeys(sys.path))):
        metadata = distribution.metadata  # read anew each time that it is asked for
        packages[metadata["Name"]] = metadata["Version"]
    return packages


def _torch() -> Torch | None:
    """PyTorch, CUDA, cuDNN and GPUs as this process sees them, if it has loaded PyTorch."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    available = torch.cuda.is_available()
    return Torch(
        version=str(torch.__version__),
        cuda=torch.version.cuda,
        cudnn=torch.backends.cudnn.version() if available else None,
        gpus=[torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        libraries=_libraries(torch.__config__.show()),
    )


def _libraries(description: str) -> dict[str, str]:
    """Versions in PyTorch's description of its build, by the library's name."""
    patterns = {
        "MKL": r"Math Kernel Library Version (\S+)",
        "oneDNN": r"MKL-DNN v(\S+)",
        "OpenMP": r"OpenMP (\d+)",
    }
    found = {name: re.search(pattern, description) for name, pattern in patterns.items()}
    return {name: match.group(1) for name, match in found.items() if match}


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
