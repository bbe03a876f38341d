"""The guard: an environment holds exactly the packages of its lock, or nothing runs in it.

Snakemake only warns when a pin cannot be installed, then solves the loose YAML and goes on.
The guard runs at the end of an environment's creation (its post-deploy script calls this file),
whenever Snakemake starts, and at the start of each job.

Only the standard library is imported: this runs inside every environment.
"""

import csv
import json
import sys
from pathlib import Path

from vla.errors import UserError
from vla.locks.files import (
    KINDS,
    EnvironmentFiles,
    normalised,
    read_pin,
    read_requirements,
)

STAMP = Path("share/vla-environment")  # in an environment: its name, and pip's report


def find_difference(prefix: Path, files: EnvironmentFiles) -> str | None:
    """The first difference between the environment at `prefix` and its lock.

    Compares every conda package by file name and SHA-256, every package from pip by version and
    the SHA-256 of the downloaded file, and looks for anything else among the installed modules.
    """
    return (
        _conda_difference(prefix, files)
        or _pip_difference(prefix, files)
        or _stray_module(prefix, files)
    )


def verify(prefix: Path, files: EnvironmentFiles) -> None:
    """Refuse an environment that is not its lock."""
    if difference := find_difference(prefix, files):
        raise UserError(
            f"The conda environment {files.name} is no longer what {files.pin.name} says:\n"
            f"  {difference}\n  ({prefix})",
            f"Remove the environment, and Snakemake makes it anew: rm -rf {prefix}*",
        )


def verify_finished(folder: Path, root: Path, names: set[str]) -> None:
    """Verify the environments of those names that Snakemake has finished in `folder`.

    Beside an environment lie copies of the files it was made from; those that are made from other
    files than today's belong to an earlier lock, and nothing will run in them.
    """
    made_from = {}
    for name in names:
        files = EnvironmentFiles(name, root)
        made_from[files.pin.read_bytes(), files.post_deploy.read_bytes()] = files
    for done in sorted(folder.glob("*.env_setup_done")):
        prefix = done.with_suffix("")
        copies = [Path(f"{prefix}{ending}") for ending in (".pin.txt", ".post-deploy.sh")]
        if prefix.is_dir() and all(copy.is_file() for copy in copies):
            pin, post_deploy = (copy.read_bytes() for copy in copies)
            if files := made_from.get((pin, post_deploy)):
                verify(prefix, files)


def enter_job(kinds: set[str], root: Path) -> None:
    """Refuse to run a job of those kinds anywhere but in a locked environment of theirs."""
    prefix = Path(sys.prefix)
    name = _stamped_name(prefix)
    allowed = [name for kind in sorted(kinds) for name in KINDS[kind]]
    if name not in allowed:
        raise UserError(
            f"This job must run in one of the environments {', '.join(allowed)}, but it runs "
            f"in {prefix}, which is {name or 'none of the locked ones'}.",
            "Start it with: snakemake --use-conda",
        )
    verify(prefix, EnvironmentFiles(name, root))


def environment_at(prefix: Path, root: Path) -> EnvironmentFiles | None:
    """The locked environment at `prefix`, if it is one."""
    name = _stamped_name(prefix)
    return EnvironmentFiles(name, root) if name else None


def conda_packages(prefix: Path) -> list[dict]:
    """conda's records of what is installed at `prefix`, by name."""
    records = [json.loads(path.read_text()) for path in prefix.glob("conda-meta/*.json")]
    return sorted(records, key=lambda record: record["name"])


def _conda_difference(prefix: Path, files: EnvironmentFiles) -> str | None:
    wanted = {url.rsplit("/", 1)[1]: digest for url, digest in read_pin(files.pin).items()}
    found = {record["fn"]: record.get("sha256") for record in conda_packages(prefix)}
    for package, digest in wanted.items():
        if package not in found:
            return f"{package} is missing."
        if found[package] != digest:
            return f"{package} has SHA-256 {found[package]}, the pin says {digest}."
    return next((f"{name} is not in the pin." for name in sorted(found.keys() - wanted)), None)


def _pip_difference(prefix: Path, files: EnvironmentFiles) -> str | None:
    wanted = read_requirements(files.pip_lock)
    report = prefix / STAMP / "pip-report.json"
    found = {}
    if report.is_file():
        for item in json.loads(report.read_text())["install"]:
            digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
            found[normalised(item["metadata"]["name"])] = item["metadata"]["version"], digest
    installed = {  # folders are named NAME-VERSION.dist-info
        normalised(path.stem.split("-")[0]): path.stem.split("-")[1]
        for path in _site_packages(prefix).glob("*.dist-info")
    }
    for name, (version, hashes) in wanted.items():
        if name not in found or installed.get(name) != version:
            return f"{name} {version} of {files.pip_lock.name} is missing."
        if found[name][0] != version or found[name][1] not in hashes:
            return f"{name} has SHA-256 {found[name][1]}, which {files.pip_lock.name} lacks."
    return next(
        (f"{n} is not in {files.pip_lock.name}." for n in sorted(found.keys() - wanted)), None
    )


def _stray_module(prefix: Path, files: EnvironmentFiles) -> str | None:
    """Something among the installed modules that no package of the lock has brought."""
    folder = _site_packages(prefix)
    inside = f"{folder.relative_to(prefix).as_posix()}/"
    known = {"__pycache__"}
    for record in conda_packages(prefix):
        known |= {
            file.removeprefix(inside).split("/")[0]
            for file in record["files"]
            if file.startswith(inside)
        }
    wanted = read_requirements(files.pip_lock)
    for path in folder.glob("*.dist-info/RECORD"):
        if normalised(path.parent.name.split("-")[0]) in wanted:
            rows = csv.reader(path.read_text().splitlines())  # name, hash, size
            known |= {row[0].split("/")[0] for row in rows}
    strays = sorted({path.name for path in folder.iterdir()} - known)
    return f"{folder / strays[0]} belongs to no package of the lock." if strays else None


def _site_packages(prefix: Path) -> Path:
    return next(prefix.glob("lib/python3*/site-packages"), prefix / "lib/site-packages")


def _stamped_name(prefix: Path) -> str | None:
    stamp = prefix / STAMP / "name"
    return stamp.read_text().strip() if stamp.is_file() else None


def main(name: str, prefix: Path) -> None:
    """Called by the post-deploy script, in the new environment; Snakemake removes a refused one."""
    files = EnvironmentFiles(name, Path(__file__).parents[2])
    if difference := find_difference(prefix, files):
        sys.exit(
            f"\nThe new conda environment {name} is not what {files.pin} says, so it is refused:\n"
            f"  {difference}\n"
            "Conda could not install the pin (its message stands above), and solved the YAML.\n"
            "  -> Mend what conda named (the network, disk space), or restore the files (git checkout "
            f"-- envs),\n     or lock anew (make lock ENV={name}); then run snakemake again."
        )
    (prefix / STAMP).mkdir(parents=True, exist_ok=True)
    (prefix / STAMP / "name").write_text(f"{name}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
