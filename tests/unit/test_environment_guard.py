"""The guard finds every way in which an environment is not its lock, and names the first."""

import json
import sys
from pathlib import Path

import pytest

from vla.errors import UserError
from vla.locks.files import EnvironmentFiles, lock_hash, read_pin, read_requirements
from vla.locks.guard import enter_job, find_difference, verify_finished

HASH = {name: name[0] * 64 for name in ("abc", "def")}
PIP_HASH = "9" * 64
POST_DEPLOY = "#!/bin/sh\n"


@pytest.fixture
def files(tmp_path) -> EnvironmentFiles:
    """The files of an environment with two packages of conda's and one of pip's."""
    files = EnvironmentFiles("data", tmp_path / "project")
    files.pin.parent.mkdir(parents=True)
    lines = [f"https://c.example/noarch/{n}-1.0-0.conda#sha256:{h}" for n, h in HASH.items()]
    files.pin.write_text("\n".join(["# platform: linux-64", "@EXPLICIT", *lines]) + "\n")
    files.pip_lock.write_text(f"Some-Lib==2.0 \\\n    --hash=sha256:{PIP_HASH}\n")
    files.post_deploy.write_text(POST_DEPLOY)
    return files


@pytest.fixture
def prefix(files, tmp_path) -> Path:
    """An environment that is exactly that."""
    prefix = tmp_path / "environments/0a1b_"
    site = prefix / "lib/python3.12/site-packages"
    (site / "some_lib-2.0.dist-info").mkdir(parents=True)
    (site / "some_lib_readme.md").write_text("...")
    (site / "some_lib-2.0.dist-info/RECORD").write_text(
        "some_lib/x.py,,\nsome_lib-2.0.dist-info/RECORD,,\nsome_lib_readme.md,sha256=x,3\n"
    )
    (site / "some_lib").mkdir()
    (site / "__pycache__").mkdir()
    for name in HASH:
        (site / f"{name}.py").write_text("")
        add_conda_record(prefix, name, HASH[name])
    write_report(prefix, "some_lib", "2.0", PIP_HASH)
    (prefix / "share/vla-environment/name").write_text("data\n")
    return prefix


def add_conda_record(prefix: Path, name: str, digest: str) -> None:
    record = {
        "name": name,
        "fn": f"{name}-1.0-0.conda",
        "sha256": digest,
        "files": [f"lib/python3.12/site-packages/{name}.py"],
    }
    path = prefix / f"conda-meta/{name}-1.0-0.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record))


def write_report(prefix: Path, name: str, version: str, digest: str) -> None:
    item = {
        "metadata": {"name": name, "version": version},
        "download_info": {"archive_info": {"hashes": {"sha256": digest}}},
    }
    path = prefix / "share/vla-environment/pip-report.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"install": [item]}))


def finish(prefix: Path, files: EnvironmentFiles) -> None:
    """What Snakemake leaves beside an environment that it has made."""
    Path(f"{prefix}.pin.txt").write_bytes(files.pin.read_bytes())
    Path(f"{prefix}.post-deploy.sh").write_bytes(files.post_deploy.read_bytes())
    Path(f"{prefix}.env_setup_done").touch()


def test_exact_environment_passes(prefix, files):
    assert find_difference(prefix, files) is None


def test_missing_package_is_named(prefix, files):
    (prefix / "conda-meta/abc-1.0-0.json").unlink()
    assert find_difference(prefix, files) == "abc-1.0-0.conda is missing."


def test_other_hash_is_named(prefix, files):
    add_conda_record(prefix, "abc", "0" * 64)
    assert f"abc-1.0-0.conda has SHA-256 {'0' * 64}" in find_difference(prefix, files)


def test_package_more_is_named(prefix, files):
    add_conda_record(prefix, "ghi", "0" * 64)
    assert find_difference(prefix, files) == "ghi-1.0-0.conda is not in the pin."


def test_other_file_from_pip_is_named(prefix, files):
    write_report(prefix, "some_lib", "2.0", "8" * 64)
    assert f"some-lib has SHA-256 {'8' * 64}" in find_difference(prefix, files)


def test_package_that_pip_did_not_install_is_named(prefix, files):
    (prefix / "share/vla-environment/pip-report.json").unlink()
    assert find_difference(prefix, files) == "some-lib 2.0 of data.pip.txt is missing."


def test_package_that_was_removed_after_pip_installed_it_is_named(prefix, files):
    installed = prefix / "lib/python3.12/site-packages/some_lib-2.0.dist-info"
    installed.rename(installed.with_name("some_lib-1.9.dist-info"))
    assert find_difference(prefix, files) == "some-lib 2.0 of data.pip.txt is missing."


def test_package_of_pips_that_nobody_locked_is_named(prefix, files):
    files.pip_lock.unlink()
    assert find_difference(prefix, files) == "some-lib is not in data.pip.txt."


@pytest.mark.parametrize("name", ["sneaked_in.py", "x.pth", "other-1.0.dist-info"])
def test_stray_module_is_named(prefix, files, name):
    (prefix / "lib/python3.12/site-packages" / name).touch()
    assert f"site-packages/{name} belongs to no package" in find_difference(prefix, files)


def test_changed_environment_stops_with_the_way_out(prefix, files):
    finish(prefix, files)
    verify_finished(prefix.parent, files.root, {"data"})
    add_conda_record(prefix, "abc", "0" * 64)
    with pytest.raises(UserError, match=r"no longer what data\.linux-64\.pin\.txt says") as error:
        verify_finished(prefix.parent, files.root, {"data"})
    assert f"rm -rf {prefix}*" in error.value.way_out


@pytest.mark.parametrize("ending", [".pin.txt", ".post-deploy.sh"])
def test_environment_of_an_earlier_lock_is_left_alone(prefix, files, ending):
    finish(prefix, files)
    add_conda_record(prefix, "abc", "0" * 64)
    Path(f"{prefix}{ending}").write_text("as it was before")
    verify_finished(prefix.parent, files.root, {"data"})


def test_unfinished_environment_is_left_to_snakemake(prefix, files):
    finish(prefix, files)
    add_conda_record(prefix, "abc", "0" * 64)
    Path(f"{prefix}.env_setup_done").unlink()
    verify_finished(prefix.parent, files.root, {"data"})


def test_job_runs_in_its_environment_alone(prefix, files, monkeypatch):
    with pytest.raises(UserError, match="none of the locked ones"):
        enter_job({"data"}, files.root)
    monkeypatch.setattr(sys, "prefix", str(prefix))
    enter_job({"data"}, files.root)
    with pytest.raises(UserError, match=r"train-cpu, train-cuda, but it runs in .* which is data"):
        enter_job({"train"}, files.root)
    add_conda_record(prefix, "abc", "0" * 64)
    with pytest.raises(UserError, match=r"abc-1\.0-0\.conda has SHA-256"):
        enter_job({"data"}, files.root)


def test_line_of_a_pin_without_hash_is_a_mistake(files):
    files.pin.write_text("@EXPLICIT\nhttps://c.example/noarch/abc-1.0-0.conda\n")
    with pytest.raises(UserError, match="line 2: not a package's URL with its SHA-256"):
        read_pin(files.pin)


def test_requirements_are_read_with_all_their_hashes(files):
    files.pip_lock.write_text(
        "# comment\na.b==1 \\\n    --hash=sha256:" + "1" * 64 + " \\\n    --hash=sha256:" + "2" * 64
    )
    assert read_requirements(files.pip_lock) == {"a-b": ("1", frozenset({"1" * 64, "2" * 64}))}


def test_lock_hash_is_about_what_is_installed(files):
    before = lock_hash(files)
    lines = files.pin.read_text().splitlines()
    files.pin.write_text("\n".join(["# another comment", "@EXPLICIT", *reversed(lines[2:])]) + "\n")
    assert lock_hash(files) == before
    files.pip_lock.write_text(files.pip_lock.read_text().replace(PIP_HASH, "7" * 64))
    after_pip = lock_hash(files)
    files.pin.write_text(files.pin.read_text().replace(HASH["abc"], "7" * 64))
    assert len({before, after_pip, lock_hash(files)}) == 3
