"""Build a small conda channel from what is installed here, for offline tests.

usage: channel.py CHANNEL SITE_PACKAGES NAME...

Each distribution that NAME... need becomes a conda package with its installed files (those of its
wheel), PyTorch included. The package `python` makes a prefix a virtual environment of this Python.
"""

import asyncio
import importlib.metadata
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler.index import index_fs
from rattler_build import FileEntry, assemble_package

# conda-forge's names, where PyPI has another
CONDA_NAME = {
    "antlr4-python3-runtime": "antlr-python-runtime",
    "matplotlib": "matplotlib-base",
    "torch": "pytorch",
}
STAMP = datetime(2026, 1, 1, tzinfo=UTC)  # fixed: same files, same package
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def conda_name(distribution: importlib.metadata.Distribution) -> str:
    name = canonicalize_name(distribution.metadata["Name"])
    return CONDA_NAME.get(name, name)


def requirements(distribution: importlib.metadata.Distribution) -> list[str]:
    """Names of the distributions it needs here."""
    wanted = [Requirement(text) for text in distribution.requires or []]
    names = [canonicalize_name(r.name) for r in wanted if not r.marker or r.marker.evaluate()]
    return [CONDA_NAME.get(name, name) for name in names]


def assemble(channel: Path, name: str, version: str, files: list[FileEntry], depends: list[str]):
    folder = channel / "linux-64"
    folder.mkdir(parents=True, exist_ok=True)
    build = f"py{PYTHON.replace('.', '')}_0"
    assemble_package(
        name, version, "linux-64", build, folder, files=files, depends=depends,
        timestamp=STAMP, compression_level=1, detect_prefix=False,
    )  # fmt: skip


def package_python(channel: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyvenv.cfg").write_text(
            f"home = {sys.base_prefix}/bin\ninclude-system-site-packages = false\n"
        )
        for link in ("python", "python3", f"python{PYTHON}"):
            (folder / link).symlink_to(f"{sys.base_prefix}/bin/python{PYTHON}")
        files = [FileEntry.from_paths(folder / "pyvenv.cfg", "pyvenv.cfg")]
        files += [FileEntry.from_paths(path, f"bin/{path.name}") for path in folder.glob("python*")]
        assemble(channel, "python", sys.version.split()[0], files, [])


def package_distribution(
    channel: Path, site: Path, distribution: importlib.metadata.Distribution
) -> None:
    files = [
        FileEntry.from_paths(site / file, f"lib/python{PYTHON}/site-packages/{file}")
        for file in distribution.files
        if not str(file).startswith("..") and file.suffix != ".pyc"
    ]
    depends = [f"python {PYTHON}.*", *requirements(distribution)]
    assemble(channel, conda_name(distribution), distribution.version, files, depends)


def main(channel: Path, site: Path, names: list[str]) -> None:
    installed = {conda_name(d): d for d in importlib.metadata.distributions(path=[str(site)])}
    package_python(channel)
    pending, done = list(names), set()
    while pending:
        name = pending.pop()
        if name in installed and name not in done:
            package_distribution(channel, site, installed[name])
            done.add(name)
            pending += requirements(installed[name])
    asyncio.run(index_fs(channel))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    sys.stdout.flush()
    os._exit(0)  # py-rattler can abort while the interpreter shuts down
