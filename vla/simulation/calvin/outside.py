"""What decides CALVIN's results and is not in this repository, nor in what `make setup` brings.

That is the user's checkout of calvin_env, found through `CALVIN_ENV_ROOT`, and PyBullet, which
`make calvin` or a conda environment brings, in one version. Keys hold what the configuration expects
of them, so that plans are made without either; `checkout` and `require_packages` see to it that a job
runs with just that.
"""

import hashlib
import importlib.metadata
import os
from functools import cache
from pathlib import Path

from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.simulation.calvin.config import Config

SETTING = "CALVIN_ENV_ROOT"
PACKAGES = {"pybullet": "3.2.7", "hydra-core": "1.3.8", "omegaconf": "2.3.1"}
# Commit -> content of the folders below.
KNOWN = {
    "1431a46": "03877ddcb321d83660a2de9a16d350304bb161271292f4e5cca713ee7b1f8df5",
    "797142c": "1621b69de75d656bcc774c7897fefa82e9de9485f6eda47a14638849d3e76b4d",
}
FOLDERS = ("calvin_env", "conf", "data")
HOW_TO = (
    "git clone https://github.com/mees/calvin_env, git checkout 1431a46 (the commit that mees/calvin "
    f"pins, the default) or 797142c, and set {SETTING} to that folder: docs/calvin.md."
)


def identity(settings: Config) -> dict[str, str]:
    """What a key says of it; reads the checkout only where no commit is named."""
    known = KNOWN.get(settings.commit)
    return {"calvin_env": known or content_of(checkout_folder()), **PACKAGES}


def check(settings: Config, use_conda: bool = False) -> str:
    """What was found, in words; `UserError` when a job could not run with it.

    Under `use_conda` the packages are in the environment of such jobs, which need not be this one.
    """
    if not use_conda:
        require_packages()
    return f"calvin_env {commit_of(checkout(settings))}, pybullet {PACKAGES['pybullet']}"


def checkout(settings: Config) -> Path:
    """The checkout with the expected content; `UserError` when it is absent or another."""
    folder = checkout_folder()
    found = commit_of(folder)
    if settings.commit not in ("other", found):
        raise UserError(
            f"{SETTING}={folder} holds calvin_env {found}; evaluation.simulator.commit asks for "
            f"{settings.commit}. Known commits: {', '.join(KNOWN)}.",
            f"git -C {folder} checkout {settings.commit} (and undo changes), or set "
            "evaluation.simulator.commit to what is there, or to other.",
        )
    return folder


def checkout_folder() -> Path:
    """Where the user's checkout lies; `UserError` when the setting is missing or wrong."""
    named = os.environ.get(SETTING)
    if not named:
        raise UserError(f"CALVIN runs from a checkout of calvin_env: {SETTING} is not set.", HOW_TO)
    folder = Path(named).expanduser().absolute()
    if not all((folder / name).is_dir() for name in FOLDERS):
        raise UserError(
            f"{SETTING}={named} holds no calvin_env: it has no {', '.join(FOLDERS)}.", HOW_TO
        )
    return folder


def commit_of(folder: Path) -> str:
    """The known commit with just this content, else `other-<hash>`: a changed file is another."""
    content = content_of(folder)
    names = {known: commit for commit, known in KNOWN.items()}
    return names.get(content, f"other-{content[:12]}")


@cache
def content_of(folder: Path) -> str:
    """SHA-256 over names and bytes of all that a checkout runs with (30 MB, a tenth of a second)."""
    digest = hashlib.sha256()
    files = [path for name in FOLDERS for path in (folder / name).rglob("*") if path.is_file()]
    for path in sorted(files):
        if "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder).as_posix()} {sha256_file(path)}\n".encode())
    return digest.hexdigest()


def require_packages() -> None:
    """`UserError` unless the packages are here in the versions that keys name."""
    for name, version in PACKAGES.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        if found != version:
            raise UserError(
                f"CALVIN needs {name} {version}; it is {found}.", "make calvin (docs/calvin.md)."
            )
