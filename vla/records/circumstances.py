"""Under which circumstances a job worked: when, with what code, software and machine."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from vla.files.atomic import write_atomic
from vla.files.described import File, describe_file
from vla.records.base import Record
from vla.records.part import Part


class GitState(Part):
    """The state of the code in git."""

    commit: str | None
    """The last commit; null outside git."""
    dirty: tuple[str, ...]
    """Paths that differed from it."""


class Torch(Part):
    """PyTorch as the job's process had loaded it."""

    version: str
    cuda: str | None
    """Version of CUDA; null for a CPU build."""
    cudnn: int | None
    """Version of cuDNN; null without a GPU."""
    gpus: tuple[str, ...]
    """Names of the GPUs that PyTorch saw."""
    libraries: dict[str, str] = Field(default_factory=dict)
    """MKL, oneDNN and OpenMP as PyTorch was built with them: name -> version."""


class ThreadPool(Part):
    """A library of native code that computes in threads of its own."""

    user_api: str
    """What it is for, such as `blas`."""
    internal_api: str
    """What it is, such as `openblas`."""
    version: str | None
    num_threads: int
    """Threads that it used."""


class Environment(Part):
    """The software of the job's process. Of environment variables only the few that are named."""

    deployment: Literal["host", "conda"]
    """Where it came from: the environment of Snakemake itself, or a locked one of `--use-conda`."""
    name: str | None = None
    """The locked environment, as in envs/; null on the host."""
    lock: str | None = None
    """SHA-256 of its lock: all packages with their hashes; null on the host."""
    python: str
    """Version of Python."""
    libc: str | None = None
    """The C library with its version, whose mathematical functions simulators use."""
    executable: str
    """Path of the interpreter."""
    variables: dict[str, str]
    """Environment variables that change what is computed, where they were set."""
    torch: Torch | None
    """null where the job had not loaded PyTorch."""
    threads: tuple[ThreadPool, ...]
    """Libraries of native code and the threads they used."""
    packages: dict[str, str]
    """Every Python package with its version."""
    conda_packages: dict[str, str] = Field(default_factory=dict)
    """Every conda package: version, build and SHA-256; empty on the host."""


class Gpu(Part):
    """An NVIDIA GPU."""

    name: str
    memory_gb: float
    driver: str
    """Version of the driver."""


class Hardware(Part):
    """The machine."""

    hostname: str
    platform: str
    """Operating system and kernel."""
    cpu: str
    """Model of the processor."""
    cpu_cores: int
    cpu_threads: int
    memory_gb: float
    gpus: tuple[Gpu, ...]
    """GPUs that the job could see."""


class Determinism(Part):
    """The switches that decide whether PyTorch repeats its results."""

    mode: Literal["portable", "strict", "fast"]
    """`training.determinism`, which is strict for portable on a GPU; evaluations are never fast."""
    deterministic_algorithms: bool
    cudnn_benchmark: bool
    tf32_matmul: bool
    tf32_cudnn: bool
    cublas_workspace: str | None
    threads: int
    """Threads of PyTorch on the CPU: another number sums in another order."""
    cpu_capability: str | None = None
    """Instruction set of PyTorch's CPU kernels, such as AVX2; null in records of before it was kept."""
    denormals: bool | None = None
    """Whether numbers below 1.2e-38 are computed with, rather than taken for zero."""


class Circumstances(Part):
    """Taken before the work: what is edited or installed meanwhile has no part in what is made."""

    command: str
    """The command that a person gave, without secrets."""
    started: str
    """ISO 8601, UTC."""
    git: GitState
    environment: Environment
    hardware: Hardware


class JobRecord(Circumstances, Record):
    """What every record of a job under a key says."""

    key: str
    """First 12 hex digits of the SHA-256 of `identity`."""
    identity: dict[str, Any]
    """Everything that decided the result's bits: configuration values, and hashes of data, code and
    environment (docs/keys.md)."""
    experiment: str
    """Folder in experiments/."""
    finished: str
    """ISO 8601, UTC."""


def write_patch(record: Path, diff: str, folder: Path) -> File | None:
    """Keep uncommitted changes beside a record, as `uncommitted.patch`; None where there are none.

    `diff`: as from `git_state`; `folder`: what the record's paths are relative to.
    """
    patch = record.with_name("uncommitted.patch")
    patch.unlink(missing_ok=True)  # of an earlier record of this key
    if not diff:
        return None
    content = diff.encode("utf-8", "surrogateescape")  # files in any encoding
    write_atomic(patch, lambda temporary: temporary.write_bytes(content))
    return describe_file(patch.absolute(), folder)
