"""A stand-in for conda, for offline tests only: what Snakemake and conda-lock call, on py-rattler.

It reads local folders alone. CONDA_STAND_IN_MIRROR="ADDRESS=FOLDER" says which folder holds the
packages of a channel's address, so that real pins and locks can be used without a network.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path

import yaml
from rattler import (
    Channel,
    RepoDataRecord,
    SparseRepoData,
    VirtualPackage,
    VirtualPackageOverrides,
    install,
    solve_with_sparse_repodata,
)

VERSION = "25.1.0"
PLATFORM = "linux-64"
HOME = Path(os.environ["CONDA_STAND_IN_HOME"])  # bin/activate, package cache


class StandInError(Exception):
    pass


def local(url: str) -> Path:
    """The local file behind a URL; this program never opens a connection."""
    address, _, folder = os.environ.get("CONDA_STAND_IN_MIRROR", "").partition("=")
    if address and url.startswith(address):
        return Path(folder + url[len(address) :])
    if url.startswith("file://"):
        return Path(url.removeprefix("file://"))
    raise StandInError(f"{url}: neither a local file nor in the mirror")


async def read_explicit(path: Path) -> list[RepoDataRecord]:
    """Records of an explicit list; each file must have the SHA-256 or MD5 that stands in the list."""
    records = []
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    if lines[0] != "@EXPLICIT":
        raise StandInError(f"{path}: no @EXPLICIT line")
    for line in lines[1:]:
        url, _, digest = line.partition("#")
        digest = digest.removeprefix("sha256:")
        file = local(url)
        if not file.is_file():
            raise StandInError(f"HTTP 404 NOT FOUND for url <{url}>")
        found = hashlib.new("sha256" if len(digest) == 64 else "md5", file.read_bytes()).hexdigest()
        if found != digest:
            raise StandInError(f"ChecksumMismatchError: {url}: expected {digest}, got {found}")
        record = await RepoDataRecord.from_package_archive(file)
        record.url = url
        records.append(record)
    return records


async def solve(specs: list[str], channels: list[str]) -> list[RepoDataRecord]:
    data = []
    for channel in channels:
        # a bare name is a channel of the mirrored address, as conda reads it
        mirrored = os.environ.get("CONDA_STAND_IN_MIRROR", "").partition("=")[0]
        base = channel.rstrip("/") if "://" in channel else mirrored
        for subdir in (PLATFORM, "noarch"):
            repodata = local(f"{base}/{subdir}/repodata.json")
            if repodata.is_file():
                data.append(SparseRepoData(Channel(base), subdir, repodata))
    # CONDA_OVERRIDE_GLIBC and the like, with which conda-lock describes another machine
    found = VirtualPackage.detect(VirtualPackageOverrides.from_env())
    virtual = [package.into_generic() for package in found]
    try:
        return await solve_with_sparse_repodata(specs, data, virtual_packages=virtual)
    except Exception as error:  # noqa: BLE001 - whatever the solver says
        raise StandInError(str(error)) from None


async def create(arguments: argparse.Namespace) -> None:
    if arguments.file and arguments.file.suffix == ".txt":
        records = await read_explicit(arguments.file)
    elif arguments.specs and all(Path(s).is_file() for s in arguments.specs):
        paths = map(Path, arguments.specs)  # an archive of Snakemake's
        records = [await RepoDataRecord.from_package_archive(path.absolute()) for path in paths]
    else:
        content = yaml.safe_load(arguments.file.read_text()) if arguments.file else {}
        specs = content.get("dependencies", arguments.specs)
        records = await solve(specs, content.get("channels", arguments.channel))
    if arguments.dry_run:
        fetch = [{**json.loads(r.to_json()), "fn": r.file_name, "url": r.url} for r in records]
        print(json.dumps({"success": True, "actions": {"LINK": [], "FETCH": fetch}}))
        return
    addresses = {record.file_name: record.url for record in records}
    for record in records:
        record.url = f"file://{local(record.url)}"
    await install(records, arguments.prefix, cache_dir=HOME / "packages", show_progress=False)
    for path in Path(arguments.prefix, "conda-meta").glob("*.json"):  # as conda: the real address
        meta = json.loads(path.read_text())
        path.write_text(json.dumps(meta | {"url": addresses[meta["fn"]]}))


def main(words: list[str]) -> None:
    match words:
        case ["--version"]:
            print(f"conda {VERSION}")
        case ["info", *_]:
            info = {"platform": PLATFORM, "conda_prefix": str(HOME), "root_prefix": str(HOME)}
            print(json.dumps(info | {"conda_version": VERSION, "pkgs_dirs": [], "envs_dirs": []}))
        case ["config", *_]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["clean", *_]:
            pass  # nothing is downloaded, so no archives pile up
        case ["list", "--explicit", "--prefix", prefix]:
            print(f"# platform: {PLATFORM}\n@EXPLICIT")
            for path in sorted(Path(prefix).glob("conda-meta/*.json")):
                print(json.loads(path.read_text())["url"])
        case ["env", "create", *rest] | ["create", *rest]:
            parser = argparse.ArgumentParser()
            parser.add_argument("--file", type=Path)
            parser.add_argument("--prefix")
            parser.add_argument("--channel", "-c", action="append", default=[])
            for flag in ("--quiet", "--yes", "--json", "--dry-run"):
                parser.add_argument(flag, action="store_true")
            parser.add_argument("--no-default-packages", action="store_true")
            parser.add_argument("--override-channels", action="store_true")
            parser.add_argument("specs", nargs="*")
            asyncio.run(create(parser.parse_args(rest)))
        case _:
            raise StandInError(f"unknown command: {words}")


if __name__ == "__main__":
    code = 0
    try:
        main(sys.argv[1:])
    except StandInError as error:
        print(error, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    os._exit(code)  # py-rattler can abort while the interpreter shuts down
