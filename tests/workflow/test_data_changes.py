"""A dataset whose bytes are not the pinned ones is never used."""

import shutil
import subprocess
import sys

from tests.commands import vla
from vla.data.manifest import make_manifest

FILE = "data/metaworld-4tasks/data/chunk-000/file-000.parquet"


def flip(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_flipped_byte_stops_the_next_run_before_training(project):
    flip(project.root / FILE)
    project.change("b", "training", num_steps=7)
    printed = project.snakemake(ok=False)
    assert FILE in printed
    assert "expected sha256" in printed
    assert "found    sha256" in printed
    assert "dvc checkout --force data/metaworld-4tasks.dvc" in printed
    assert "Traceback" not in printed
    assert len(list(project.root.glob("experiments/b/checkpoints/*"))) == 1, "nothing was trained"

    command = [sys.executable, "-m", "dvc", "checkout", "--force", "data/metaworld-4tasks.dvc"]
    subprocess.run(command, cwd=project.root, check=True, capture_output=True)
    project.snakemake("--until", "verify_dataset")


def test_a_flipped_byte_is_noticed_when_all_is_done(project):
    flip(project.root / FILE)
    printed = project.snakemake(ok=False)
    assert FILE in printed


def test_a_missing_file_is_fetched_again(project):
    (project.root / FILE).unlink()
    project.snakemake()
    assert (project.root / FILE).is_file()
    assert project.jobs() == {}


def test_a_source_archive_without_git_gets_its_data(fresh, tmp_path):
    project = fresh.copy(tmp_path / "project")
    shutil.rmtree(project.root / ".git")
    project.snakemake("--until", "verify_dataset")
    assert (project.root / FILE).is_file()


def test_a_file_changed_with_its_line_in_the_manifest_is_refused_until_both_are_pinned(
    fresh, tmp_path
):
    project = fresh.copy(tmp_path / "project")
    project.snakemake("--until", "verify_dataset")
    dataset = project.root / "data/metaworld-4tasks"
    flip(project.root / FILE)
    make_manifest(dataset, dataset.with_name("metaworld-4tasks.manifest.json"))
    printed = project.snakemake("--until", "verify_dataset", ok=False)
    assert "data/metaworld-4tasks.dvc and the manifest beside it pin different files" in printed
    assert "data/chunk-000/file-000.parquet: md5 " in printed, "the file that differs"
    assert "Traceback" not in printed

    vla(project.root, "pin", "data/metaworld-4tasks")
    project.snakemake("--until", "verify_dataset")
