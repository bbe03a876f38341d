"""Whether a package's folder holds exactly what its SHA256SUMS lists. Standard library only."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from vla.errors import UserError

SUMS = "SHA256SUMS"
# Where a reproduction works when it is not told where: the one folder in a package that was not packed.
WORK = "reproduction"
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
WAY_OUT = "Get the package again from where it was published, and compare its SHA-256."
SHOWN = 5  # problems in a message


def refuse(problems: list[str], what: object) -> UserError:
    """The error about a package with these problems."""
    lines = problems[:SHOWN]
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more")
    return UserError("\n  ".join([f"{what} is refused:", *lines]), WAY_OUT)


def path_problem(name: str) -> str:
    """Why a file of that name may not be in a package; '' when it may."""
    shown = ascii(name)[:100]
    parts = name.split("/")
    if not name or "\0" in name or any(ord(letter) < 32 for letter in name):
        return f"{shown} is no file name"
    if name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name):
        return f"{shown} is no path inside the package"
    if any(part in ("", ".", "..") for part in parts):
        return f"{shown} would leave the package, or has an empty part"
    if len(name.encode("utf-8", "surrogateescape")) > 1000 or any(len(p) > 200 for p in parts):
        return f"{shown} is too long"
    if parts[0] == WORK:
        return f"{shown} lies where a reproduction works"
    return ""


def parse_sums(text: str) -> dict[str, str]:
    """Path -> SHA-256, of a SHA256SUMS; `UserError` when it is none."""
    sums: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = LINE.fullmatch(line)
        if not match:
            raise refuse([f"line {number} is no SHA-256 and path"], SUMS)
        digest, name = match.groups()
        problem = path_problem(name) or (f"{name} is listed twice" if name in sums else "")
        if problem:
            raise refuse([f"line {number}: {problem}"], SUMS)
        sums[name] = digest
    return sums


def read_sums(folder: Path) -> dict[str, str]:
    """Of the package in `folder`; `UserError` when there is none."""
    path = folder / SUMS
    if path.is_symlink() or not path.is_file():
        raise UserError(
            f"{folder} is no package: it has no file {SUMS}.", "Name an unpacked package."
        )
    try:
        return parse_sums(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise refuse(["it is no UTF-8"], path) from None


def check_folder(folder: Path) -> dict[str, str]:
    """Hash every file of an unpacked package; returns path -> SHA-256.

    `UserError` when a file is missing, has other bytes, is not listed, or is no plain file.
    """
    sums = read_sums(folder)
    found, problems = set(), []
    for name, path in _walk(folder, ""):
        if name == SUMS:
            continue
        found.add(name)
        if not stat.S_ISREG(path.lstat().st_mode):
            problems.append(f"{name} is no plain file")
        elif name not in sums:
            problems.append(f"{name} is not listed in {SUMS}")
        elif sha256(path) != sums[name]:
            problems.append(f"{name} has other bytes than {SUMS} lists")
    problems += [f"{name} is missing" for name in sorted(sums.keys() - found)]
    if problems:
        raise refuse(problems, folder)
    return sums


def require_work_apart(package: Path, work: Path) -> None:
    """`UserError` when work in that folder would add to the package what its list of files lacks."""
    inside = work.resolve()
    if inside.is_relative_to(package.resolve()) and not inside.is_relative_to(
        package.resolve() / WORK
    ):
        raise UserError(
            f"{work} lies in the package, where nothing may be that {SUMS} does not list.",
            f"Name a folder outside of it, or leave --work out: {WORK}/ is the default.",
        )


def sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _walk(folder: Path, inside: str) -> Iterator[tuple[str, Path]]:
    """Everything that is no folder; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = f"{inside}{entry.name}"
            if name == WORK:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{name}/")
            else:
                yield name, Path(entry.path)
