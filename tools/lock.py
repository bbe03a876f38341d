"""Lock environments anew: `make lock` for all, `make lock ENV=NAME` for one (or `host`).

Needs the network and one of conda, mamba, micromamba; conda-lock solves with it. Prints what
changed in a form fit for a commit message.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

from vla.errors import UserError
from vla.files.atomic import write_text
from vla.locks.files import NAMES, PLATFORM, EnvironmentFiles, normalised, read_requirements
from vla.locks.render import read_lock, render_pin, render_post_deploy

# Packages whose names differ between conda-forge and PyPI.
PYPI_NAME = {"matplotlib-base": "matplotlib", "pytorch": "torch"}
SOLVERS = ("conda", "mamba", "micromamba")


def lock_conda(files: EnvironmentFiles, tools: Path) -> None:
    """Solve an environment, write its lock, pin, pip lock and post-deploy script.

    `tools`: the bin folder with conda-lock.
    """
    solver = next(filter(None, map(shutil.which, SOLVERS)), None)
    if not solver:
        raise UserError(
            f"None of {', '.join(SOLVERS)} is on the PATH, and conda-lock solves with one of them.",
            "Install Miniforge or micromamba, and run make lock again.",
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(files.request, folder)
        shutil.copy(files.request.with_name("virtual-packages.yaml"), folder)
        (folder / "lookup.json").write_text("{}")  # PyPI's names, which no request needs
        command = [tools / "conda-lock", "lock", "--conda", solver, "--platform", PLATFORM]
        command += ["--file", files.request.name, "--lockfile", files.lock.name]
        command += ["--virtual-package-spec", "virtual-packages.yaml"]
        command += ["--pypi_to_conda_lookup_file", folder / "lookup.json"]
        _run(command, folder)
        write_text(files.lock, (folder / files.lock.name).read_text())
    if files.pip_request.is_file():
        lock_pip(files)
    write_text(files.pin, render_pin(files))
    write_text(files.post_deploy, render_post_deploy(files))


def lock_pip(files: EnvironmentFiles) -> None:
    """Lock what conda-forge lacks; its dependencies are conda's business."""
    (python,) = (p["version"] for p in read_lock(files.lock) if p["name"] == "python")
    command = [Path(sys.executable).with_name("uv"), "pip", "compile", files.pip_request]
    command += ["--no-deps", "--generate-hashes", "--only-binary", ":all:", "--upgrade", "--quiet"]
    command += ["--python-version", python, "--python-platform", "x86_64-manylinux_2_28"]
    command += ["--no-header", "--no-annotate", "--output-file", files.pip_lock]
    _run(command, files.root)
    # Which packages have no wheel is said to pip as well.
    options = [line for line in files.pip_request.read_text().splitlines() if line[:2] == "--"]
    if options:
        write_text(files.pip_lock, "\n".join([*options, files.pip_lock.read_text()]))


def lock_host(root: Path) -> None:
    """Lock the host environment, in the versions of the conda environments where both have one."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    asked = {normalised(re.split(r"[<>=!~ ]", item)[0]) for item in project["dependencies"]}
    versions = conda_versions(root)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        lines = [f"{name}=={versions[name]}\n" for name in sorted(asked & versions.keys())]
        constraints.write_text("".join(line for line in lines if not line.startswith("dvc==")))
        uv = [Path(sys.executable).with_name("uv"), "pip", "compile", "--universal", "--upgrade"]
        uv += ["--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"]
        host = ["pyproject.toml", "--group", "dev", "--group", "torch", "-c", constraints]
        host += ["--no-emit-package", "torch"]  # which peft asks for; it is installed first
        _run([*uv, "--quiet", *host, "-o", "envs/host.lock.txt"], root)
        for group in ("conda", "crate"):
            tools = ["--group", f"pyproject.toml:{group}", "-o", f"envs/{group}-tools.lock.txt"]
            _run([*uv, "--quiet", *tools], root)
        for group in ("s3", "services"):
            apart = ["--group", f"pyproject.toml:{group}", "-o", f"envs/{group}.lock.txt"]
            _run([*uv, "--quiet", *apart], root)
        calvin = ["--group", "pyproject.toml:calvin", "-c", "envs/host.lock.txt"]
        _run([*uv, "--quiet", *calvin, "-o", "envs/calvin.lock.txt"], root)
        # What lies beside the host environment, as a dependency group: only what that lacks.
        there = read_requirements(root / "envs/host.lock.txt")
        beside = ["--group", "pyproject.toml:libero", "-c", "envs/host.lock.txt"]
        beside += [f"--no-emit-package={name}" for name in there]
        _run([*uv, "--quiet", *beside, "-o", "envs/libero.lock.txt"], root)


def conda_versions(root: Path) -> dict[str, str]:
    """Version of each package that some conda environment asks for, by its name on PyPI."""
    versions = {}
    for name in NAMES:
        files = EnvironmentFiles(name, root)
        locked = {package["name"]: package["version"] for package in read_lock(files.lock)}
        for request in requested(files):
            versions[normalised(PYPI_NAME.get(request, request))] = locked[request]
    return versions


def requested(files: EnvironmentFiles) -> list[str]:
    """Names of the conda packages that an environment asks for."""
    return [item.split()[0] for item in yaml.safe_load(files.request.read_text())["dependencies"]]


def contents(files: EnvironmentFiles) -> dict[str, str]:
    """Package -> version (and conda's build) of what is locked; empty before the first lock."""
    if not files.lock.is_file():
        return {}
    locked = {}
    for package in read_lock(files.lock):
        build = re.sub(r"\.(conda|tar\.bz2)$", "", package["url"]).rsplit("-", 1)[1]
        locked[package["name"]] = f"{package['version']} {build}"
    pip = read_requirements(files.pip_lock)
    return locked | {f"{name} (pip)": version for name, (version, _) in pip.items()}


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What changed, one line a package; a build is named only where the version is the same."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if old and new and old.split()[0] != new.split()[0]:
            old, new = old.split()[0], new.split()[0]
        lines.append(f"{name} {old or '(new)'} -> {new or '(gone)'}")
    return lines


def _run(command: list[object], folder: Path) -> None:
    finished = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True
    )
    if finished.returncode:
        message = (finished.stdout + finished.stderr).split("Traceback (most recent")[0].strip()
        raise UserError(
            f"{Path(str(command[0])).name} failed:\n{message}",
            "Mend what its message names; this environment's files are as they were.",
        )


def main(names: list[str], root: Path) -> None:
    unknown = set(names) - {*NAMES, "host"}
    if unknown:
        raise UserError(
            f"There is no environment {', '.join(sorted(unknown))}.",
            f"Name one of: {', '.join([*NAMES, 'host'])}",
        )
    for name in names or [*NAMES, "host"]:
        print(f"{name}: locking ...", file=sys.stderr)
        if name == "host":
            path = root / "envs/host.lock.txt"
            before = {n: v for n, (v, _) in read_requirements(path).items()}
            lock_host(root)
            after = {n: v for n, (v, _) in read_requirements(path).items()}
        else:
            files = EnvironmentFiles(name, root)
            before = contents(files)
            lock_conda(files, root / ".venv-conda/bin")
            after = contents(files)
        lines = changes(before, after)
        print("\n".join([f"{name}:", *(f"  {line}" for line in lines or ["no change"])]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:], Path(__file__).parents[1])
    except UserError as error:
        sys.exit(str(error))
