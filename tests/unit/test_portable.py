"""Portable arithmetic: the same bits on every x86-64 processor with AVX2."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from tests.project import ROOT
from tools.portability import on_processor
from vla.process.portable import lacks_portable
from vla.process.variables import PORTABLE, choose_fastest, choose_portable

# The weights and actions of a short training, as every processor gave them: PyTorch -> family -> SHA-256.
# On a processor that gives others, the promise of this file is broken.
TRAINING = ("train", "ConvStem/16")
GOLDEN = json.loads((ROOT / "tests/data/portable.json").read_text())


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: how a processor is used is settled once in each."""
    environment = {n: v for n, v in os.environ.items() if n not in PORTABLE} | variables
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def golden() -> dict[str, str]:
    return GOLDEN[torch.__version__.partition("+")[0]]


def test_this_processor_gives_the_published_bits(golden):
    assert on_processor("", *TRAINING) == golden


def test_families_on_a_vision_language_model_give_the_published_bits():
    versions = f"{torch.__version__.partition('+')[0]}, transformers {version('transformers')}"
    golden = json.loads((ROOT / "tests/data/portable_vlm.json").read_text())
    assert on_processor("", "train", "VLM") == golden[versions]


def test_without_mkls_mode_bits_are_others(golden):
    """On every processor: else the golden bits would prove nothing."""
    found = on_processor("", *TRAINING, "MKL_CBWR")
    assert found.keys() == golden.keys()
    assert not set(found.values()) & set(golden.values())


PRODUCTS = """
import torch
from vla.process.determinism import set_determinism

set_determinism(1, "portable")
torch.manual_seed(0)
products = (
    lambda a, b, c: a @ b,
    lambda a, b, c: (b.t() @ a.t()).t() + c,
    lambda a, b, c: torch.addmm(c, a, b),
    lambda a, b, c: torch.addmm(c, a, b, beta=0.5, alpha=2),
    lambda a, b, c: torch.nn.functional.linear(a, b.t(), c),
)


def same(found, wanted, bound):
    error = (found.double() - wanted).norm()
    assert found.shape == wanted.shape and error <= bound * wanted.norm(), (error, wanted.norm())


for dtype, bound in ((torch.float64, 1e-14), (torch.float32, 1e-6), (torch.bfloat16, 2e-2)):
    for n, k, m in ((5, 7, 3), (1, 1, 1), (64, 300, 33), (0, 4, 2), (4, 0, 2)):
        given = [torch.randn(*shape).to(dtype).requires_grad_() for shape in ((n, k), (k, m), (m,))]
        exact = [tensor.detach().double().requires_grad_() for tensor in given]
        for product in products:
            found, wanted = product(*given), product(*exact)
            assert found.dtype == dtype
            same(found, wanted, bound)
            weight = torch.randn(n, m)
            gradients = torch.autograd.grad((found * weight.to(dtype)).sum(), given[:2])
            correct = torch.autograd.grad((wanted * weight.to(dtype)).sum(), exact[:2])
            for one, other in zip(gradients, correct, strict=True):
                same(one, other, bound)
"""


def test_matrix_products_are_right_for_every_type_and_shape():
    finished = run(PRODUCTS)
    assert finished.returncode == 0, finished.stderr


def test_settings_from_outside_are_overruled():
    variables = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "HOME": "/"}
    choose_portable(variables)
    assert variables == PORTABLE | {"HOME": "/"}
    choose_fastest(variables)
    assert "ATEN_CPU_CAPABILITY" not in variables and "MKL_CBWR" not in variables


def test_it_is_refused_when_it_is_too_late():
    finished = run(
        """
import torch
from vla.errors import UserError
from vla.process.determinism import set_determinism
torch.ones(3).sum()
torch.backends.cpu.get_cpu_capability()
try:
    set_determinism(1, "portable")
except UserError as error:
    print(error)
""",
        ATEN_CPU_CAPABILITY="default",
    )
    assert "PyTorch already computes with" in finished.stdout, finished.stderr
    assert "before anything is computed" in finished.stdout


def test_strict_mode_after_it_uses_pytorchs_own_products():
    finished = run("""
import os
from vla.process.determinism import set_determinism
import torch
print(set_determinism(1, "portable")["mode"], set_determinism(1, "strict")["mode"])
assert "MKL_CBWR" not in os.environ
with torch.profiler.profile() as profile:
    torch.ones(3, 3) @ torch.ones(3, 3)
assert not any("mkldnn" in event.key for event in profile.key_averages())
""")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == ["portable", "strict"]


def test_processor_without_avx2_is_named(tmp_path: Path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name\t: old\nflags\t\t: fpu sse2 avx f16c\n")
    assert lacks_portable(cpuinfo) == "it lacks avx2, fma"
    cpuinfo.write_text("flags\t\t: fpu sse2 avx avx2 fma f16c\n")
    assert lacks_portable(cpuinfo) is None
