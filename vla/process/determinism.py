"""One place that makes PyTorch repeat its bits."""

import os
from typing import Any

import torch

from vla.errors import UserError
from vla.process.portable import end_portable, make_portable


def set_determinism(threads: int, mode: str = "strict") -> dict[str, Any]:
    """Set every switch that bits depend on; returns them for the record.

    `mode`: `strict` repeats bits on the same kind of processor or GPU; `portable` on every x86-64
    processor with AVX2; `fast` allows TF32, cuDNN's benchmark mode and kernels that add in no fixed
    order. Call before anything is computed. The number of threads is part of the identity of a run:
    sums over another number of threads round in another order.
    """
    exact = mode != "fast"
    if mode == "portable":
        make_portable()
    else:
        end_portable()
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.set_num_threads(threads)
    # As `torch.use_deterministic_algorithms`, which loads the whole compiler (0.9 s) only to tell it so.
    torch.set_deterministic_debug_mode("error" if exact else "default")
    os.environ["TORCHINDUCTOR_DETERMINISTIC"] = str(int(exact))
    torch.backends.cudnn.benchmark = not exact
    torch.backends.cuda.matmul.allow_tf32 = not exact
    torch.backends.cudnn.allow_tf32 = not exact
    return {
        "mode": mode,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
        "tf32_cudnn": torch.backends.cudnn.allow_tf32,
        "cublas_workspace": os.environ["CUBLAS_WORKSPACE_CONFIG"],
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "denormals": bool(torch.tensor([1e-40]).mul(0.5).item()),
    }


def training_mode(mode: str, accelerator: str) -> str:
    """What `training.determinism` means on `cpu` or `cuda`: portable arithmetic is the CPU's."""
    return "strict" if mode == "portable" and accelerator == "cuda" else mode


def evaluation_mode(mode: str, accelerator: str) -> str:
    """The mode of evaluations of a policy that was trained so: they always repeat their bits."""
    return "strict" if mode == "fast" else training_mode(mode, accelerator)


def choose_device(accelerator: str, number: int = 0) -> torch.device:
    """The device of `cpu`, or GPU `number` for `cuda`; one asked for and absent is a `UserError`."""
    if accelerator == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(
            f"resources.accelerator is cuda, but PyTorch {torch.__version__} sees no GPU here.",
            "Run where there is one, check the driver with nvidia-smi, or set accelerator: cpu.",
        )
    if number >= torch.cuda.device_count():
        raise UserError(
            f"resources.training_processes asks for GPU {number}, counted from 0; PyTorch sees "
            f"{torch.cuda.device_count()}.",
            "Set it to the number of GPUs at most.",
        )
    return torch.device("cuda", number)
