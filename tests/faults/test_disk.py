"""A full or read-only disk: a message with figures, nothing torn, and on it goes afterwards."""

import shutil
import subprocess

import pytest
from killing import digest, leftovers

from vla.records.run import RunRecord


def fill(folder, leave: int):
    """Fill the file system of `folder` up to so many bytes."""
    filler = folder / "filler"
    filler.write_bytes(b"\0" * (shutil.disk_usage(folder).free - leave))
    return filler


IN_TIME = ("disk: ", " MB free; ", " MB needed")
TOO_LATE = ("The disk is full", "monitoring.disk_full")


@pytest.mark.parametrize(("checked", "leave"), [(False, 1_200_000), (True, 600_000)])
def test_full_disk_is_told_and_work_goes_on_when_there_is_space(
    folder_on_its_own_disk, results_of_a, checked, leave
):
    """Full before the check, which says so with figures, or only after it."""
    project, folder = folder_on_its_own_disk
    if checked:
        project.snakemake("--until", "check_experiment")
    filler = fill(folder, leave)
    printed = project.snakemake(ok=False)
    if checked:
        assert any(words in printed for words in TOO_LATE)
        assert "MB are free" in printed or "GB free" in printed
    else:
        assert all(words in printed for words in IN_TIME)
    assert leftovers(folder) == []
    for record in folder.rglob("run.json"):
        RunRecord.read(record)
    filler.unlink()
    project.snakemake()
    assert digest(project) == results_of_a


def test_read_only_folder_is_named(folder_on_its_own_disk, results_of_a):
    project, folder = folder_on_its_own_disk
    project.snakemake("--until", "check_experiment")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    printed = project.snakemake(ok=False)
    assert "ead-only file system" in printed
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    project.snakemake()
    assert digest(project) == results_of_a


def test_prepared_data_that_does_not_fit_is_told_before_and_while_it_is_written(
    project_of_a, small_disk
):
    project, folder = project_of_a, project_of_a.root / "data/.prepared"
    small_disk(folder, 180)
    filler = fill(folder, leave=50_000_000)
    printed = project.snakemake("--until", "check_experiment", ok=False)
    assert "disk of data/.prepared: 50.0 MB free; 130.9 MB needed" in printed
    filler.unlink()
    project.snakemake("--until", "check_experiment")
    filler = fill(folder, leave=50_000_000)
    printed = project.snakemake("--until", "prepare_dataset", ok=False)
    assert "pictures needs 130.9 MB, 50.0 MB are free" in printed
    assert leftovers(folder) == []
    filler.unlink()
    project.snakemake("--until", "prepare_dataset")
