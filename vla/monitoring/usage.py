"""How busy the machine is with this process, for the rows of the metrics file."""

import os
import shutil
from pathlib import Path

import psutil
import pynvml

from vla.monitoring.processor_meter import ProcessorMeter

GB = 1e9


class Usage:
    """Samples this process, the GPU it uses and the disk that holds `folder`."""

    def __init__(self, folder: Path, cuda: bool):
        self.folder = folder
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call has nothing to compare with
        self._gpu = _gpu_handle() if cuda else None
        self._energy_before = _energy(self._gpu)
        self._processors = ProcessorMeter()

    def sample(self) -> dict[str, float]:
        """Columns of the metrics file: CPU (% of one core, since the last call), memory, GPU, disk."""
        sample = {
            "cpu_percent": self._process.cpu_percent(),
            "memory_gb": self._process.memory_info().rss / GB,
            "disk_free_gb": shutil.disk_usage(self.folder).free / GB,
        }
        if self._gpu:
            try:
                sample["gpu_percent"] = pynvml.nvmlDeviceGetUtilizationRates(self._gpu).gpu
                sample["gpu_memory_gb"] = pynvml.nvmlDeviceGetMemoryInfo(self._gpu).used / GB
            except pynvml.NVMLError:  # not permitted on some clusters: training goes on
                self._gpu = None
        energy = _energy(self._gpu)
        if energy is not None and self._energy_before is not None:
            sample["gpu_energy_j"] = energy - self._energy_before
        joules = self._processors.joules()
        if joules is not None:
            sample["cpu_energy_j"] = joules
        return sample


def _energy(gpu: object | None) -> float | None:
    """What the GPU's own meter shows (joules); None without a GPU, or one older than Volta."""
    try:
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000 if gpu else None
    except pynvml.NVMLError:
        return None


def _gpu_handle() -> object | None:
    """The GPU that PyTorch calls cuda:0, which CUDA_VISIBLE_DEVICES names."""
    try:
        pynvml.nvmlInit()
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
        if first.isdigit():
            return pynvml.nvmlDeviceGetHandleByIndex(int(first))
        return pynvml.nvmlDeviceGetHandleByUUID(first)
    except pynvml.NVMLError:
        return None
