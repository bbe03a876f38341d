"""From a lock to what Snakemake installs: the pin, and the script that runs after it."""

import platform
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from vla.errors import UserError
from vla.locks.files import PLATFORM, EnvironmentFiles, read_pin

INSTALL_FROM_PIP = """\
# Packages that conda-forge lacks: {pip_lock}, word for word.
mkdir -p "$CONDA_PREFIX/share/vla-environment"
python -m pip install --quiet --no-input --disable-pip-version-check \\
    --no-deps --require-hashes --only-binary :all:{building} \\
    --report "$CONDA_PREFIX/share/vla-environment/pip-report.json" --requirement /dev/stdin <<'END'
{requirements}END
"""

POST_DEPLOY = """\
#!/bin/sh
# Rendered by `make lock`. Snakemake runs it in the new environment.
set -eu
{install}# The guard: the environment holds exactly its lock, or is not made.
python -m vla.locks.guard {name} "$CONDA_PREFIX"
"""


def read_lock(path: Path) -> list[dict[str, Any]]:
    """Packages of a conda-lock file for this platform, without conda's virtual ones."""
    if not path.is_file():
        raise UserError(f"{path} is missing.", f"Restore it: git checkout -- {path}")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_text(), loader)  # noqa: S506 - both loaders are safe
    return [
        package
        for package in content["package"]
        if package["platform"] == PLATFORM and not package["name"].startswith("__")
    ]


def render_pin(files: EnvironmentFiles) -> str:
    """The lock as an explicit list, dependencies first.

    With SHA-256, where conda-lock itself would render MD5; conda reads these since 24.9.
    """
    packages = {package["name"]: package for package in read_lock(files.lock)}
    before = {
        name: sorted(packages.keys() & package["dependencies"].keys() - {name})
        for name, package in sorted(packages.items())
    }
    lines = [
        f"# Rendered from {files.lock.name} by `make lock`: edit {files.request.name} instead.",
        f"# platform: {PLATFORM}",
        "@EXPLICIT",
    ]
    for name in _in_order(before):
        lines.append(f"{packages[name]['url']}#sha256:{packages[name]['hash']['sha256']}")
    return "\n".join(lines) + "\n"


def _in_order(before: dict[str, list[str]]) -> list[str]:
    """Names, each behind those it needs; where packages need each other, one of them goes first."""
    while True:
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError as error:
            first, second = error.args[1][:2]
            before[second].remove(first)


def render_post_deploy(files: EnvironmentFiles) -> str:
    """A script that holds all it needs: Snakemake copies it, and hashes nothing beside it."""
    install = ""
    if files.pip_lock.is_file():
        requirements = files.pip_lock.read_text()
        # What has no wheel is built with what is locked, where pip would fetch setuptools by itself.
        building = " --no-build-isolation" if "--no-binary" in requirements else ""
        install = INSTALL_FROM_PIP.format(
            pip_lock=files.pip_lock.name, building=building, requirements=requirements
        )
    return POST_DEPLOY.format(install=install, name=files.name)


def check_rendered(root: Path, names: set[str]) -> None:
    """Stop when, for an environment of those names, Snakemake would install something else.

    Pin and post-deploy script must be what the locks say, and there must be a pin for this platform:
    Snakemake solves the YAML itself where it finds none.
    """
    here = f"{platform.system()} {platform.machine()}"
    if here != "Linux x86_64":
        raise UserError(
            f"--use-conda: the environments are locked for {PLATFORM} alone, this is {here}.",
            "Run without --use-conda: the host environment is locked by envs/host.lock.txt.",
        )
    for name in sorted(names):
        _check_rendered(EnvironmentFiles(name, root))


def _check_rendered(files: EnvironmentFiles) -> None:
    pinned = read_pin(files.pin)
    locked = {package["url"]: package["hash"]["sha256"] for package in read_lock(files.lock)}
    way_out = f"Restore both (git checkout -- envs), or lock anew: make lock ENV={files.name}"
    for url in sorted(pinned.keys() | locked.keys()):
        if pinned.get(url) != locked.get(url):
            raise UserError(
                f"{files.pin} is not what {files.lock.name} says. First difference:\n"
                f"  {url.rsplit('/', 1)[1]}: {_said(pinned.get(url), 'pin')}, "
                f"{_said(locked.get(url), 'lock')}",
                way_out,
            )
    if files.pin.read_text() != render_pin(files):
        raise UserError(f"{files.pin} is not, word for word, what {files.lock} renders.", way_out)
    if not files.post_deploy.is_file() or files.post_deploy.read_text() != render_post_deploy(
        files
    ):
        raise UserError(f"{files.post_deploy} is not what `make lock` renders.", way_out)


def _said(digest: str | None, where: str) -> str:
    return f"SHA-256 {digest} in the {where}" if digest else f"not in the {where}"
