"""A project whose locked environments are made offline, from packages built of what is installed.

It has one experiment; that no rule imports what its environment lacks is seen without running it
(`test_locks.py`).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT, SMALL, Project
from vla.locks.files import KINDS, EnvironmentFiles, environment_name, normalised, read_pin

TOOLS = ROOT / ".venv-conda/bin/python"
HELPERS = Path(__file__).parent
# Made for every test. LIBERO's is 1.6 GB of pictures and meshes; CALVIN's is made by the test that needs it.
ENVIRONMENTS = tuple(environment_name(kind) for kind in KINDS if kind not in ("calvin", "libero"))


class Conda:
    """The stand-in for conda, in `folder`, with the channel it installs from.

    `variables`: environment variables under which Snakemake finds it; `prefix`: where Snakemake
    makes the environments.
    """

    def __init__(self, folder: Path):
        assert TOOLS.exists(), "make test sets this up: .venv-conda"
        self.channel, self.prefix = folder / "channel", folder / "environments"
        (folder / "bin").mkdir(parents=True)
        command = folder / "bin/conda"
        command.write_text(f'#!/bin/sh\nexec {TOOLS} {HELPERS}/stand_in.py "$@"\n')
        command.chmod(0o755)
        (folder / "bin/activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
        # Pins hold the address of the real channel; the stand-in finds its packages here.
        url = next(iter(read_pin(EnvironmentFiles("data", ROOT).pin)))
        self.variables = {
            "CONDA_STAND_IN_HOME": str(folder),
            "CONDA_STAND_IN_MIRROR": f"{url.rsplit('/', 2)[0]}={self.channel}",
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        asked = (*ENVIRONMENTS, "calvin-cpu")
        names = {name for environment in asked for name in requested(environment)}
        site = next((Path(sys.prefix) / "lib").glob("python3*/site-packages"))
        build = [TOOLS, HELPERS / "channel.py", self.channel, site, *sorted(names)]
        subprocess.run(list(map(str, build)), check=True, capture_output=True)
        repodata = json.loads((self.channel / "linux-64/repodata.json").read_text())
        self.packages = {package["name"] for package in repodata["packages.conda"].values()}

    def request(self, root: Path, name: str, without: str = "") -> None:
        """Write the YAML of an environment for this channel, whose versions are others.

        Left out is what no wheel has: C libraries that steer conda-forge's solver.
        """
        wanted = [n for n in requested(name) if n in self.packages and n != without]
        content = {"channels": ["conda-forge"], "dependencies": wanted}
        EnvironmentFiles(name, root).request.write_text(yaml.safe_dump(content))

    def lock(self, root: Path, *names: str) -> str:
        """`make lock` for those environments; returns what it prints."""
        tools = root / ".venv-conda"
        tools.symlink_to(ROOT / ".venv-conda")
        finished = subprocess.run(
            [sys.executable, "-m", "tools.lock", *names],
            cwd=root,
            env=os.environ | self.variables,
            capture_output=True,
            text=True,
        )
        tools.unlink()
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def environment(self, name: str) -> Path:
        """Where Snakemake has made that environment."""
        stamps = self.prefix.glob("*/share/vla-environment/name")
        (stamp,) = (path for path in stamps if path.read_text().strip() == name)
        return stamp.parents[2]


def requested(name: str) -> list[str]:
    """Names of what an environment asks for."""
    request = yaml.safe_load(EnvironmentFiles(name, ROOT).request.read_text())
    return [normalised(item.split()[0]) for item in request["dependencies"]]


class CondaProject(Project):
    """A project that is run under --use-conda."""

    conda: Conda

    def run(self, *arguments: str, ok: bool = True) -> str:
        return self.snakemake(
            "--use-conda", "--conda-prefix", str(self.conda.prefix), *arguments, ok=ok
        )

    def copy(self, root: Path) -> "CondaProject":
        project = CondaProject(super().copy(root).root, self.variables)
        project.conda = self.conda
        return project


@pytest.fixture(scope="session")
def conda(tmp_path_factory) -> Conda:
    return Conda(tmp_path_factory.mktemp("conda") / "conda")


@pytest.fixture(scope="session")
def locked(conda, tmp_path_factory) -> CondaProject:
    """A project with environments locked for the channel, before its first run. Not to be run."""
    project = CondaProject.create(tmp_path_factory.mktemp("locked") / "project")
    project.conda, project.variables = conda, conda.variables
    project.write("a", SMALL)
    project.write_yaml("config/config.yaml", {"experiments": ["a"], "allow_dirty": True})
    for name in ENVIRONMENTS:
        conda.request(project.root, name)
    conda.lock(project.root, *ENVIRONMENTS)
    project.commit()
    return project


@pytest.fixture(scope="session")
def finished(locked, tmp_path_factory) -> CondaProject:
    """After a complete run under --use-conda. Not to be changed: take `project`."""
    project = locked.copy(tmp_path_factory.mktemp("finished") / "project")
    project.run()
    return project


@pytest.fixture
def project(finished, tmp_path) -> CondaProject:
    """A finished project of one's own; the environments are shared."""
    return finished.copy(tmp_path / "project")
