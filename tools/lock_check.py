"""`make lock-check`: requests, locks, pins, rules and code agree about the environments."""

import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

from tools.lock import conda_versions, contents
from tools.lock_imports import import_problems, rule_problems
from vla.errors import UserError
from vla.locks.files import NAMES, PLATFORM, EnvironmentFiles, normalised, read_requirements
from vla.locks.identity import DISTRIBUTIONS
from vla.locks.render import check_rendered, read_lock
from vla.plugins import plugins

# Packages that exist once for each BLAS, OpenMP or accelerator: builds differ, versions do not.
VARIANTS = {"_openmp_mutex", "libblas", "libcblas", "liblapack", "libtorch", "pytorch"}
# Environments with another Python than the rest (envs/README.md): builds for it may differ, versions not.
OTHER_PYTHON = {"calvin-cpu", "calvin-cuda"}
PYTHON = {"cpython", "python", "python_abi"}


def check(root: Path, tools: Path) -> list[str]:
    """Everything that disagrees, one line each; `tools` is the bin folder with conda-lock."""
    problems, rendered = [], []
    for name in NAMES:
        try:
            check_rendered(root, {name})
            rendered.append(EnvironmentFiles(name, root))
        except UserError as error:
            problems.append(str(error))
    with ThreadPoolExecutor() as pool:  # each waits for conda-lock, which takes seconds
        for found in pool.map(request_problems, rendered, repeat(tools)):
            problems += found
    if problems:  # the rest would only repeat it
        return problems + rule_problems(root)
    return [
        *disagreements({name: contents(EnvironmentFiles(name, root)) for name in NAMES}),
        *accelerator_problems(root),
        *host_problems(root),
        *rule_problems(root),
        *import_problems(root),
    ]


def request_problems(files: EnvironmentFiles, tools: Path) -> list[str]:
    """What was asked for since the lock was made; needs no network."""
    way_out = f"Lock it: make lock ENV={files.name}"
    problems = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in (files.request, files.lock, files.request.with_name("virtual-packages.yaml")):
            shutil.copy(path, folder)
        (folder / "lookup.json").write_text("{}")
        command = [tools / "conda-lock", "lock", "--check-input-hash", "--conda", "true"]
        command += ["--file", files.request.name, "--lockfile", files.lock.name]
        command += ["--virtual-package-spec", "virtual-packages.yaml", "--platform", PLATFORM]
        command += ["--pypi_to_conda_lookup_file", folder / "lookup.json"]
        finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "Locking dependencies" in finished.stderr:  # it would solve, with the solver `true`
        problems.append(f"{files.request} has changed since {files.lock.name} was made. {way_out}")
    elif "already locked" not in finished.stderr:
        problems.append(f"conda-lock failed on {files.request}:\n{finished.stderr}")
    asked = {}
    if files.pip_request.is_file():
        for line in files.pip_request.read_text().splitlines():
            if not line.startswith(("#", "--")):  # comments, options
                name, _, version = line.partition("==")
                asked[normalised(name)] = version
    locked = {name: version for name, (version, _) in read_requirements(files.pip_lock).items()}
    differ = [n for n, v in asked.items() if v and locked.get(n) != v]
    if differ or asked.keys() != locked.keys():
        problems.append(f"{files.pip_request} and {files.pip_lock.name} disagree. {way_out}")
    return problems


def disagreements(locked: dict[str, dict[str, str]]) -> list[str]:
    """Packages that are not the same in every environment that has them."""
    found: dict[str, dict[str, list[str]]] = {}
    for environment in sorted(locked, key=lambda name: name in OTHER_PYTHON):  # these last
        for package, version in locked[environment].items():
            said = version.split()[0] if package in VARIANTS else version
            builds = found.setdefault(package, {})
            if environment in OTHER_PYTHON:
                if package in PYTHON:
                    continue
                said = next((b for b in builds if _for_any(b) == _for_any(said)), said)
            builds.setdefault(said, []).append(environment)
    return [
        f"{package} differs: "
        + ", ".join(f"{version} in {' and '.join(names)}" for version, names in versions.items())
        + ". Ask for one version in the yaml files."
        for package, versions in sorted(found.items())
        if len(versions) > 1
    ]


def _for_any(build: str) -> str:
    """A version and a build without what tells for which Python it was made: py312h8a5da7c."""
    return re.sub(r"py3\d+h[0-9a-f]+", "py", build)


def accelerator_problems(root: Path) -> list[str]:
    """A CUDA environment holds one CUDA build of PyTorch, a CPU environment none."""
    problems = []
    for name in NAMES:
        packages = contents(EnvironmentFiles(name, root))
        build = packages.get("pytorch", " ").split(" ")[1]
        if name.endswith("-cuda"):
            if not build.startswith("cuda") or "cuda-version" not in packages:
                problems.append(f"{name} locks no CUDA build of PyTorch, or no cuda-version.")
        elif build.startswith("cuda") or "cuda-version" in packages:
            problems.append(f"{name} holds CUDA packages.")
    return problems


def host_problems(root: Path) -> list[str]:
    """Packages that decide results, in other versions in the host environment than under conda."""
    locks = [root / f"envs/{name}.lock.txt" for name in ("host", "libero", "calvin")]
    text = "".join(lock.read_text() for lock in locks)
    conda = {name: {version} for name, version in conda_versions(root).items()}
    for name in NAMES:
        pip = read_requirements(EnvironmentFiles(name, root).pip_lock)
        for package, (version, _) in pip.items():
            conda.setdefault(package, set()).add(version)
    problems = []
    for name in sorted(_deciding(root)):
        host = set(re.findall(rf"^{re.escape(name)}==(\S+)", text, re.MULTILINE))
        if host != conda.get(name):
            said = [", ".join(sorted(versions)) for versions in (host, conda.get(name, ()))]
            problems.append(
                f"{name} is {said[0]} on the host (envs/*.lock.txt), {said[1]} under conda. "
                "Lock the host again: make lock ENV=host"
            )
    return problems


def _deciding(root: Path) -> set[str]:
    """Distributions that decide results, of every kind of job and every simulator; PyTorch may differ."""
    names = {name for names in DISTRIBUTIONS.values() for name in names}
    for simulator in plugins("simulators", root).values():
        names |= set(simulator.load("config").DISTRIBUTIONS)
        if (simulator.folder / "outside.py").is_file():
            names |= getattr(simulator.load("outside"), "PACKAGES", {}).keys()
    return names - {"torch"}


def main(root: Path) -> None:
    problems = check(root, root / ".venv-conda/bin")
    if problems:
        sys.exit("\n".join(problems))
    packages = sum(len(read_lock(EnvironmentFiles(name, root).lock)) for name in NAMES)
    print(f"{len(NAMES)} environments, {packages} packages: requests, locks, pins and code agree.")


if __name__ == "__main__":
    main(Path(__file__).parents[1])
