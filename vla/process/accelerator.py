"""Which accelerator jobs use. `auto` is settled once, where the workflow starts."""

import importlib.util
import os
import re
from pathlib import Path
from typing import Any

import pynvml


def detect_accelerator(use_conda: bool) -> str:
    """What `auto` means on this machine."""
    usable = bool(visible_gpus()) and (use_conda or _host_pytorch_has_cuda())
    return "cuda" if usable else "cpu"


def visible_gpus() -> list[dict[str, Any]]:
    """Name, memory (GB) and driver of each NVIDIA GPU here; none when CUDA is told to see none."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver, no GPU
        return []
    try:
        driver = pynvml.nvmlSystemGetDriverVersion()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [
            {
                "name": pynvml.nvmlDeviceGetName(handle),
                "memory_gb": round(pynvml.nvmlDeviceGetMemoryInfo(handle).total / 1e9, 1),
                "driver": driver,
            }
            for handle in handles
        ]
    finally:
        pynvml.nvmlShutdown()


def _host_pytorch_has_cuda() -> bool:
    """Read from its version file: importing PyTorch would take seconds while Snakemake starts."""
    found = importlib.util.find_spec("torch")
    if not found or not found.origin:
        return False
    text = (Path(found.origin).parent / "version.py").read_text()
    return bool(re.search(r"^cuda\b[^=]*= '", text, re.MULTILINE))
