"""Who a repository belongs to: names and addresses that git keeps."""

import re
import subprocess
from pathlib import Path

PERSON = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")


def people(root: Path) -> tuple[set[str], set[str]]:
    """Names and e-mail addresses of all who wrote or committed, are named as co-authors, or are set as user."""
    form = "%an <%ae>%n%cn <%ce>%n%(trailers:key=Co-authored-by,valueonly)"
    lines = _git(root, "log", "--all", f"--format={form}").splitlines()
    found = [match.groups() for line in lines if (match := PERSON.fullmatch(line))]
    names = {name for name, _ in found} | set(_git(root, "config", "user.name").splitlines())
    mails = {mail for _, mail in found} | set(_git(root, "config", "user.email").splitlines())
    return names, mails


def remotes(root: Path) -> set[str]:
    """Addresses of the repositories that this one fetches from and pushes to."""
    listing = _git(root, "config", "--get-regexp", r"^remote\..*\.(push)?url$")
    return {line.split(" ", 1)[1] for line in listing.splitlines()}


def _git(root: Path, *arguments: str) -> str:
    """What git prints; nothing where it has nothing to say."""
    finished = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    return finished.stdout
