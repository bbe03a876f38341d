"""Environment variables by which libraries choose what code computes on this processor.

They are set where the workflow starts: NumPy and MKL read them when they are loaded. Values from
outside are overruled.
"""

from collections.abc import MutableMapping

# Every x86-64 processor with AVX2 then runs the same code (docs/exactness.md).
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # oneDNN: convolutions, and matrix products (portable.py)
    "MKL_CBWR": "COMPATIBLE",  # MKL's AVX2 mode takes other code on AMD's processors
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's matrix products
    # NumPy's functions; the first name is of NumPy 2.4, the next five of releases before
    "NPY_DISABLE_CPU_FEATURES": (
        "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
    ),
    # Mesa's software renderer makes code for the processor, which draws other pixels on another one
    "GALLIUM_OVERRIDE_CPU_CAPS": "sse4.1",
    "LP_NATIVE_VECTOR_WIDTH": "128",  # bits, as SSE has them
}
# Older names of the same settings, and what would change them again.
OVERRULED = ("DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "NPY_ENABLE_CPU_FEATURES")


def choose_portable(variables: MutableMapping[str, str]) -> None:
    """Hold all libraries to AVX2."""
    for name in OVERRULED:
        variables.pop(name, None)
    variables.update(PORTABLE)


def choose_fastest(variables: MutableMapping[str, str]) -> None:
    """Let PyTorch and its libraries take the best that the processor has."""
    for name in ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR", *OVERRULED):
        variables.pop(name, None)
