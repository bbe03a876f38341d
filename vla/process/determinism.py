"""One place that makes PyTorch repeat its bits."""

import os

import torch

from vla.errors import UserError


def set_determinism(threads: int, mode: str = "strict") -> dict[str, object]:
    """Set every switch that bits depend on; returns them for the record.

    `mode`: `strict` repeats bits; `fast` allows TF32, cuDNN's benchmark mode and kernels that add in
    no fixed order. Call before CUDA or `torch.compile` are used. The number of threads is part of the identity of a run:
    sums over another number of threads round in another order.
    """
    strict = mode == "strict"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.set_num_threads(threads)
    # As `torch.use_deterministic_algorithms`, which loads the whole compiler (0.9 s) only to tell it so.
    torch.set_deterministic_debug_mode("error" if strict else "default")
    os.environ["TORCHINDUCTOR_DETERMINISTIC"] = str(int(strict))
    torch.backends.cudnn.benchmark = not strict
    torch.backends.cuda.matmul.allow_tf32 = not strict
    torch.backends.cudnn.allow_tf32 = not strict
    return {
        "mode": mode,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
        "tf32_cudnn": torch.backends.cudnn.allow_tf32,
        "cublas_workspace": os.environ["CUBLAS_WORKSPACE_CONFIG"],
        "threads": torch.get_num_threads(),
    }


def choose_device(accelerator: str) -> torch.device:
    """The device of `cpu` or `cuda`; a GPU asked for and absent is a `UserError`."""
    if accelerator == "cuda" and not torch.cuda.is_available():
        raise UserError(
            f"resources.accelerator is cuda, but PyTorch {torch.__version__} sees no GPU here.",
            "Run where there is one, check the driver with nvidia-smi, or set accelerator: cpu.",
        )
    return torch.device(accelerator)
