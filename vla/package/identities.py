"""What tells who made a package: people, addresses, accounts, machines, folders, commits."""

import getpass
import os
import pwd
import re
import socket
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vla.source.people import people, remotes

# Kind -> what stands in the place of a value: plain words, so that code, YAML and JSON stay valid.
STAND_INS = {
    "author": "Anonymous",
    "affiliation": "Anonymous institution",
    "ORCID": "0000-0000-0000-0000",
    "e-mail address": "anonymous@example.org",
    "address": "https://example.org/anonymous",
    "repository": "anonymous/repository",
    "account": "anonymous-account",
    "user name": "anonymous-user",
    "host name": "anonymous-host",
    "folder": "/anonymous/elsewhere",
    "project folder": "/anonymous/project",
    "commit": "1000000, 2000000 and so on",
    "further word": "anonymous",
}
NUMBERED = ("host name", "user name", "author")
SHORTEST = 4  # letters: shorter words stand anywhere by chance
# Names that many machines, projects and services share: they tell nothing.
GENERIC = {
    *("admin", "anonymous", "centos", "container", "debian", "default", "docker", "guest", "home"),
    *(
        "github",
        "gitlab",
        "jovyan",
        "localhost",
        "main",
        "nobody",
        "none",
        "root",
        "runner",
        "student",
    ),
    *("test", "ubuntu", "user", "users", "vagrant", "noreply@github.com", "dependabot[bot]"),
}
SYSTEM = ("/bin", "/dev", "/etc", "/lib", "/opt", "/proc", "/run", "/sys", "/tmp", "/usr", "/var")  # noqa: S108
HOMES = re.compile(r"/(?:home|Users)/([^/]+)")
HOSTED = re.compile(
    r"(?:\w+://(?:[^@/]*@)?|\w+@)[\w.-]+(?::\d+)?[/:]([\w.-]+)/([\w./-]+?)(?:\.git)?/?"
)
COPYRIGHT = re.compile(r"Copyright\s+(?:\(c\)\s*|©\s*)?\d[\d,\s-]*(.+)", re.IGNORECASE)
COMMIT = re.compile("[0-9a-f]{40}")  # ours; a simulator's is a setting, and shorter
ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
# Settings of the source that name accounts and servers of a group.
ACCOUNT = re.compile(r"slurm_account:\s*[\"']?([^\s\"'#]+)")
MAIL = re.compile(r"--mail-user[= ]([^\s\"']+)")
SERVER = re.compile(r"(?:mlflow_uri:|\n\s*url =)\s*[\"']?((?:\w+://|/)[^\s\"'#]+)")


@dataclass(frozen=True)
class Identity:
    """A value that tells who made the results."""

    kind: str
    value: str

    @property
    def is_telling(self) -> bool:
        """Whether it can be looked for: not so a word that stands anywhere by chance, or tells nothing."""
        if self.kind in ("folder", "project folder"):
            telling = len(PurePosixPath(self.value).parts) > 2 and not self.value.startswith(SYSTEM)
            return telling or (self.kind == "project folder" and len(self.value) > 1)
        long = len(self.value) >= SHORTEST or self.kind == "further word"
        return long and self.value.casefold() not in GENERIC


def of_project(root: Path, citation: Mapping[str, Any], settings: Iterable[str]) -> set[Identity]:
    """What the repository, its metadata and this machine tell.

    `settings`: texts of files that may name a group's accounts and servers.
    """
    names, mails = people(root)
    found = {Identity("author", name) for name in names}
    found |= {Identity("e-mail address", mail) for mail in mails}
    found |= set(_of_citation(citation)) | set(_of_metadata(root)) | set(_of_machine(root))
    for address in remotes(root):
        found |= set(_of_address(address))
    for text in settings:
        found |= {Identity("account", name) for name in ACCOUNT.findall(text)}
        found |= {Identity("e-mail address", mail) for mail in MAIL.findall(text)}
        for address in SERVER.findall(text):
            found |= set(_of_address(address))
    return found


def of_record(value: Any) -> Iterator[Identity]:
    """What a record's JSON tells: hosts, folders of interpreters, commits."""
    if isinstance(value, dict):
        for name, content in value.items():
            if not isinstance(content, str):
                yield from of_record(content)
            elif name in ("host", "hostname"):
                yield from (Identity("host name", host) for host in _hosts(content))
            elif name in ("executable", "command"):
                for word in content.split():
                    yield from _of_folder(word)
            elif name == "commit" and COMMIT.fullmatch(content):
                yield Identity("commit", content)
    elif isinstance(value, list):
        for content in value:
            yield from of_record(content)


def _of_citation(citation: Mapping[str, Any]) -> Iterator[Identity]:
    for author in [*citation.get("authors", ()), *citation.get("contact", ())]:
        family, given = author.get("family-names", ""), author.get("given-names", "")
        for name in (author.get("name", ""), author.get("alias", ""), f"{given} {family}".strip()):
            yield Identity("author", name)
        if family and given:
            yield Identity("author", f"{family}, {given}")
        yield Identity("affiliation", author.get("affiliation", ""))
        yield Identity("e-mail address", author.get("email", ""))
        yield from _of_address(author.get("website", ""))
        yield from (Identity("ORCID", found) for found in ORCID.findall(author.get("orcid", "")))
    for name in ("repository-code", "repository", "repository-artifact", "url"):
        yield from _of_address(citation.get(name, ""))
    identifiers = [entry.get("value", "") for entry in citation.get("identifiers", ())]
    yield from (Identity("address", doi) for doi in [citation.get("doi", ""), *identifiers])


def _of_metadata(root: Path) -> Iterator[Identity]:
    """Holder of the licence; authors of the Python project."""
    for name in COPYRIGHT.findall((root / "LICENSE").read_text(encoding="utf-8")):
        yield Identity("author", name.strip().rstrip("."))
    if (root / "pyproject.toml").is_file():
        project = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("project", {})
        for person in [*project.get("authors", ()), *project.get("maintainers", ())]:
            yield Identity("author", person.get("name", ""))
            yield Identity("e-mail address", person.get("email", ""))
        for address in project.get("urls", {}).values():
            yield from _of_address(address)


def _of_machine(root: Path) -> Iterator[Identity]:
    """Host, user and folders of this machine."""
    yield from (Identity("host name", name) for name in _hosts(socket.gethostname()))
    yield Identity("user name", getpass.getuser())
    with suppress(KeyError):  # a container's user without an entry
        yield Identity("author", pwd.getpwuid(os.getuid()).pw_gecos.split(",")[0])
    yield Identity("project folder", str(root.resolve()))
    for folder in (Path.home(), root.resolve(), Path(sys.prefix)):
        yield from _of_folder(f"{folder}/")
    yield Identity("account", os.environ.get("WANDB_ENTITY", ""))


def _hosts(name: str) -> tuple[str, str]:
    """A machine's name with and without its domain."""
    return name, name.partition(".")[0]


def _of_folder(path: str) -> Iterator[Identity]:
    """The two upper folders of an absolute path, and whose home it lies in."""
    if path.startswith("/") and path.count("/") > 2:
        yield Identity("folder", "/".join(path.split("/")[:3]))
    if home := HOMES.match(path):
        yield Identity("user name", home[1])


def _of_address(address: str) -> Iterator[Identity]:
    """An address; where it is a repository's, its owner and name, however it is written."""
    if address.startswith("/"):
        yield Identity("folder", address.rstrip("/"))
        return
    yield Identity("address", address.rstrip("/"))
    if hosted := HOSTED.fullmatch(address):
        yield Identity("repository", f"{hosted[1]}/{hosted[2]}")
        yield Identity("account", hosted[1])
