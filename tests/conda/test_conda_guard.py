"""Nothing runs in an environment that is not exactly its lock."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from vla.locks.files import EnvironmentFiles, read_pin

pytestmark = pytest.mark.xdist_group("conda")


def swap_digit(text: str, at: int) -> str:
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def one_package(files: EnvironmentFiles, name: str) -> tuple[str, str]:
    """URL and SHA-256 of a package of a pin."""
    (found,) = ((u, d) for u, d in read_pin(files.pin).items() if f"/{name}-" in u)
    return found


def change_hash_everywhere(files: EnvironmentFiles, package: str) -> None:
    """In lock and pin alike, so that only what is downloaded disagrees."""
    _, digest = one_package(files, package)
    for path in (files.pin, files.lock):
        path.write_text(path.read_text().replace(digest, swap_digit(digest, 0)))


def test_changed_hash_in_a_pin_stops_at_once(project):
    files = EnvironmentFiles("analyse", project.root)
    url, digest = one_package(files, "jinja2")
    files.pin.write_text(files.pin.read_text().replace(digest, swap_digit(digest, 30)))
    printed = project.run(ok=False)
    assert url.rsplit("/", 1)[1] in printed
    assert "analyse.linux-64.pin.txt is not what analyse.conda-lock.yml says" in printed
    assert "make lock ENV=analyse" in printed
    assert "Creating conda environment" not in printed


def test_removed_pin_stops_instead_of_solving(project):
    files = EnvironmentFiles("analyse", project.root)
    files.pin.unlink()
    printed = project.run(ok=False)
    assert "analyse.linux-64.pin.txt is missing" in printed
    assert "git checkout" in printed
    assert "Creating conda environment" not in printed


@pytest.mark.parametrize("arguments", [[], ["--conda-create-envs-only"]])
def test_package_that_is_not_what_the_lock_says_is_refused(locked, tmp_path, arguments):
    """conda refuses the file; Snakemake solves the YAML and goes on; the guard stops that."""
    project = locked.copy(tmp_path / "project")
    files = EnvironmentFiles("data", project.root)
    change_hash_everywhere(files, "psutil")
    printed = project.run("--until", "fetch_dataset", *arguments, ok=False)
    assert "Trying regular environment definition file" in printed  # Snakemake's own weakness
    assert "The new conda environment data is not what" in printed
    assert "psutil-7.2.2" in printed
    assert "make lock ENV=data" in printed
    assert not list(project.root.glob("data/.state/*/*.fetched.json"))
    # it left nothing that a second call would take for an environment
    assert "The new conda environment data is not what" in project.run(*arguments, ok=False)


def test_file_from_pip_that_is_not_what_the_lock_says_is_refused(locked, tmp_path):
    project = locked.copy(tmp_path / "project")
    files = EnvironmentFiles("data", project.root)
    for path in (files.pip_lock, files.post_deploy):
        lines = path.read_text().splitlines(keepends=True)
        at = "--hash=sha256:"
        path.write_text(
            "".join(swap_digit(line, line.index(at) + len(at)) if at in line else line
                    for line in lines)
        )  # fmt: skip
    printed = project.run("--until", "fetch_dataset", ok=False)
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in printed
    assert "av==16.1.0" in printed
    assert not list(project.root.glob("data/.state/*/*.fetched.json"))


@pytest.fixture
def analyse(project, conda):
    """The environment of the analysis; what a test changes in it is undone."""
    prefix = conda.environment("analyse")
    before = {path: path.read_bytes() for path in prefix.glob("conda-meta/*.json")}
    yield prefix
    for path in set(prefix.glob("conda-meta/*.json")) - before.keys():
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


def test_package_added_to_an_environment_stops(project, analyse):
    (record,) = analyse.glob("conda-meta/jinja2-*.json")
    added = json.loads(record.read_text()) | {"name": "extra", "fn": "extra-1.0-0.conda"}
    (analyse / "conda-meta/extra-1.0-0.json").write_text(json.dumps(added))
    for arguments in ([], ["-n"], ["--conda-create-envs-only"]):
        printed = project.run(*arguments, ok=False)
        assert "extra-1.0-0.conda is not in the pin" in printed
        assert f"rm -rf {analyse}*" in printed


def test_package_added_by_pip_stops(project, analyse):
    site = next(analyse.glob("lib/python3*/site-packages"))
    module = site / "sneaked_in.py"
    module.write_text("")
    try:
        assert f"{module} belongs to no package of the lock" in project.run(ok=False)
    finally:
        module.unlink()


def test_package_removed_from_an_environment_stops(project, analyse):
    (record,) = analyse.glob("conda-meta/scipy-*.json")
    name = json.loads(record.read_text())["fn"]
    record.unlink()
    assert f"{name} is missing" in project.run(ok=False)


JOB = """
import sys
from types import SimpleNamespace

sys.path.insert(0, sys.argv[1])
from vla.workflow.job import start_job

context = {"root": sys.argv[1], "use_conda": True, "accelerator": "cpu", "command": "snakemake"}
called = SimpleNamespace(
    rule="summarise", log=["job.log"], config={"context": context}, resources={}, wildcards={}
)
with start_job(called, "x"):
    print("ran")
"""


def test_job_refuses_an_environment_that_changed_after_the_start(project, conda, analyse):
    """As a job on another node, long after the call: the guard stands in the job too."""
    (record,) = analyse.glob("conda-meta/scipy-*.json")
    record.write_text(record.read_text().replace('"sha256":', '"was_sha256":'))
    command = [analyse / "bin/python", "-c", JOB, project.root]
    finished = subprocess.run(command, cwd=project.root, capture_output=True, text=True)
    assert finished.returncode == 1
    assert "scipy-" in finished.stderr and "SHA-256" in finished.stderr
    assert "ran" not in (project.root / "job.log").read_text()


def test_interrupted_creation_is_made_anew(locked, conda, tmp_path):
    project = locked.copy(tmp_path / "project")
    prefix = tmp_path / "environments"
    command = ["--use-conda", "--conda-prefix", str(prefix), "--until", "fetch_dataset"]
    running = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *command],
        cwd=project.root,
        env=os.environ | conda.variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not list(prefix.glob("*/conda-meta/*.json")):  # some packages are there
        assert running.poll() is None
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not list(prefix.glob("*.env_setup_done"))
    printed = project.snakemake(*command, "--nolock")
    assert "Removing incomplete Conda environment" in printed
    assert list(project.root.glob("data/.state/*/*.fetched.json"))
