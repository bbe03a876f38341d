"""Arithmetic of PyTorch that gives the same bits on every x86-64 processor with AVX2.

MKL keeps to one order of additions on processors of all makers only in its COMPATIBLE mode (Intel,
"Conditional Numerical Reproducibility"), in which its matrix products take several times as long.
Those of float32 therefore go through oneDNN, whose AVX2 code is one for all.
"""

import os
import platform
import re
import warnings
from pathlib import Path

import torch
from torch import Tensor

from vla.errors import UserError
from vla.process.variables import choose_fastest, choose_portable

CPUINFO = Path("/proc/cpuinfo")
_NEEDED = {"avx2", "fma", "f16c"}
_products: torch.library.Library | None = None  # PyTorch uses them as long as it lives


def lacks_portable(cpuinfo: Path = CPUINFO) -> str | None:
    """What keeps this processor from portable arithmetic, in words; None where nothing does."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return f"it is no x86-64 ({platform.machine()})"
    if not cpuinfo.is_file():
        return None
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE)
    missing = _NEEDED - set(flags.group(1).split() if flags else ())
    return f"it lacks {', '.join(sorted(missing))}" if missing else None


def make_portable() -> None:
    """From here on this process computes portably. Call before PyTorch computes anything.

    `UserError` when it is too late, or the processor lacks AVX2.
    """
    global _products
    if missing := lacks_portable():
        raise UserError(
            f"This processor cannot do portable arithmetic: {missing}.",
            "Set training.determinism: strict. It repeats bits on processors of this kind alone.",
        )
    choose_portable(os.environ)
    if (capability := torch.backends.cpu.get_cpu_capability()) != "AVX2":
        raise UserError(
            f"PyTorch already computes with {capability}: it is too late for portable arithmetic.",
            "Call set_determinism before anything is computed.",
        )
    if _products is None:
        _products = torch.library.Library("aten", "IMPL")
        with warnings.catch_warnings(action="ignore"):  # that PyTorch's own are overridden
            _products.impl("mm", _mm, "CPU")
            _products.impl("addmm", _addmm, "CPU")


def end_portable() -> None:
    """Take back what `make_portable` did, as far as PyTorch has not computed yet."""
    global _products
    choose_fastest(os.environ)
    if _products is not None:
        _products._destroy()
        _products = None


def _mm(left: Tensor, right: Tensor) -> Tensor:
    """(n, k), (k, m) -> (n, m)."""
    if _is_plain(left, right):
        return torch.ops.mkldnn._linear_pointwise(left, right.t(), None, "none", [], "")
    return torch.mm(left, right, out=left.new_empty(len(left), right.shape[1]))


def _addmm(
    bias: Tensor, left: Tensor, right: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta * bias + alpha * (n, k) @ (k, m) -> (n, m)."""
    whole = beta == alpha == 1 and bias.shape == right.shape[1:]
    if whole and _is_plain(left, right, bias):
        return torch.ops.mkldnn._linear_pointwise(left, right.t(), bias, "none", [], "")
    out = left.new_empty(len(left), right.shape[1])
    return torch.addmm(bias, left, right, beta=beta, alpha=alpha, out=out)


def _is_plain(*tensors: Tensor) -> bool:
    return all(
        t.dtype == torch.float32 and t.layout == torch.strided and t.numel() for t in tensors
    )
