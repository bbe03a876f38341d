"""`vla pin data/NAME` writes DVC's pointer and the manifest together; one without the other is refused."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.sharing import made_once
from vla.cli.main import app
from vla.config.datasets import DatasetEntry
from vla.data.places import manifest_file, pointer_file
from vla.data.verification import current_record, verify
from vla.errors import UserError

ENTRY = DatasetEntry(
    version="1", format="lerobot-v3", source="here", licence="MIT", path="data/toy"
)


def pin(name: str) -> Result:
    return CliRunner().invoke(app, ["pin", name])


def pins(root: Path) -> tuple[Path, Path]:
    return pointer_file(ENTRY, root), manifest_file(ENTRY, root)


@pytest.fixture(scope="module")
def pinned(tmp_path_factory) -> Path:
    """A project whose small dataset was pinned by the command. Not to be changed."""

    def make(folder: Path) -> None:
        for name in (
            "Snakefile",
            "config/config.yaml",
            "data/toy/meta/info.json",
            "data/toy/b.bin",
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        command = [sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"]
        subprocess.run(command, cwd=folder, check=True)
        with contextlib.chdir(folder):
            assert pin("data/toy").exit_code == 0

    return made_once(tmp_path_factory, "pinned", make)


@pytest.fixture
def root(pinned, tmp_path, monkeypatch) -> Path:
    """Such a project of one's own."""
    root = shutil.copytree(pinned, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(root)
    return root


def change(path: Path, content: bytes) -> None:
    """Give a file other bytes and a later time."""
    then = path.stat().st_mtime_ns + 10**9
    path.unlink()  # may be a link into DVC's cache
    path.write_bytes(content)
    os.utime(path, ns=(then, then))


def test_pinned_files_can_be_verified(root):
    verify(ENTRY, root, current_record(ENTRY, root))


@pytest.mark.parametrize("forgotten", [0, 1], ids=["pointer", "manifest"])
def test_pinning_anew_that_forgets_one_is_refused(root, forgotten):
    before = [path.read_bytes() for path in pins(root)]
    change(root / "data/toy/b.bin", b"new")
    assert pin("data/toy").exit_code == 0
    record = current_record(ENTRY, root)
    verify(ENTRY, root, record)
    pins(root)[forgotten].write_bytes(before[forgotten])
    for use in (current_record, lambda *what: verify(*what, record)):
        with pytest.raises(UserError) as caught:
            use(ENTRY, root)
        assert str(pointer_file(ENTRY, root)) in caught.value.problem
        assert "b.bin: md5 " in caught.value.problem
        assert "meta/info.json" not in caught.value.problem


def test_dataset_of_one_file_is_pinned(root):
    (root / "data/one.bin").write_bytes(b"1")
    assert pin("data/one.bin").exit_code == 0
    entry = ENTRY.model_copy(update={"path": "data/one.bin"})
    verify(entry, root, current_record(entry, root))


@pytest.mark.parametrize("name", ["data/other", "data/", "config/config.yaml"])
def test_what_is_no_dataset_is_not_pinned(root, name):
    assert "no dataset of this project" in str(pin(name).exception)


def test_nothing_is_written_where_dvc_refuses(root):
    before = [path.read_bytes() for path in pins(root)]
    change(root / "data/toy/b.bin", b"new")
    shutil.rmtree(root / ".dvc")
    assert "DVC does not take" in str(pin("data/toy").exception)
    assert [path.read_bytes() for path in pins(root)] == before
