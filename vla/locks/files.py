"""The files of each conda environment in envs/, and what they say.

Only the standard library is imported: the guard reads these inside every environment.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from vla.errors import UserError

PLATFORM = "linux-64"
# Kinds of jobs -> their environments; where there are two, the accelerator chooses.
KINDS = {
    "data": ("data",),
    "train": ("train-cpu", "train-cuda"),
    "evaluate": ("evaluate-cpu", "evaluate-cuda"),
    "libero": ("libero-cpu", "libero-cuda"),
    "calvin": ("calvin-cpu", "calvin-cuda"),
    "analyse": ("analyse",),
}
NAMES = tuple(name for names in KINDS.values() for name in names)


@dataclass(frozen=True)
class EnvironmentFiles:
    """Where the files of the environment `name` lie, below `root`, the project's folder."""

    name: str
    root: Path

    def _file(self, ending: str) -> Path:
        return self.root / "envs" / f"{self.name}.{ending}"

    @property
    def request(self) -> Path:
        """What is asked for; written by hand."""
        return self._file("yaml")

    @property
    def lock(self) -> Path:
        """conda-lock's unified lock: every package with URL and hashes."""
        return self._file("conda-lock.yml")

    @property
    def pin(self) -> Path:
        """The lock as conda's list of explicit packages: what Snakemake installs."""
        return self._file(f"{PLATFORM}.pin.txt")

    @property
    def pip_request(self) -> Path:
        """What conda-forge lacks; written by hand. Most environments need none."""
        return self._file("pip.in")

    @property
    def pip_lock(self) -> Path:
        return self._file("pip.txt")

    @property
    def post_deploy(self) -> Path:
        """What Snakemake runs in the new environment: pip's part, then the guard."""
        return self._file("post-deploy.sh")


def environment_name(kind: str, accelerator: str = "cpu") -> str:
    """The environment of jobs of that kind; `accelerator` is `cpu` or `cuda`."""
    names = KINDS[kind]
    return names[0] if len(names) == 1 else f"{kind}-{accelerator}"


def read_pin(path: Path) -> dict[str, str]:
    """URL -> SHA-256 of every package of a pin, in its order."""
    if not path.is_file():
        raise UserError(
            f"--use-conda: {path} is missing, and without it conda would pick versions itself.",
            f"Restore it (git checkout -- {path}), or run without --use-conda: the host "
            "environment is locked by envs/host.lock.txt.",
        )
    packages = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.startswith("#") or line in ("", "@EXPLICIT"):
            continue
        match = re.fullmatch(r"(\S+\.(?:conda|tar\.bz2))#sha256:([0-9a-f]{64})", line)
        if not match:
            raise UserError(
                f"{path}, line {number}: not a package's URL with its SHA-256: {line}",
                f"Restore the file: git checkout -- {path}",
            )
        packages[match[1]] = match[2]
    return packages


def read_requirements(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Normalised name -> (version, SHA-256 of its files) of a pip lock; empty without one."""
    if not path.is_file():
        return {}
    requirements = {}
    for line in path.read_text().replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith(("#", "--")):  # comments, options
            name, version = line.split()[0].split("==")
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
            requirements[normalised(name)] = (version, frozenset(hashes))
    return requirements


def normalised(name: str) -> str:
    """A distribution's name as Python packaging compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_hash(files: EnvironmentFiles) -> str:
    """SHA-256 of all that is installed; neither order nor comments of the files matter."""
    pip = read_requirements(files.pip_lock)
    lines = [f"{url}#{digest}" for url, digest in read_pin(files.pin).items()]
    lines += [
        f"{name}=={version} {' '.join(sorted(hashes))}" for name, (version, hashes) in pip.items()
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
