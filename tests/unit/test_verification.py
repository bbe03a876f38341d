"""Nothing reads a dataset before its bytes were checked; what changes afterwards is noticed."""

import json
import os
from pathlib import Path

import pytest

from tests.project import ROOT
from vla.config.datasets import DatasetEntry
from vla.data.manifest import check_pointer, content_hash, make_manifest, read_manifest
from vla.data.places import dataset_folder, manifest_file, pointer_file
from vla.data.verification import current_record, require_verified, verify
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.plan.reading import load_registry
from vla.records.manifest import Manifest

ENTRY = DatasetEntry(
    version="1", format="lerobot-v3", source="here", licence="MIT", path="data/toy"
)
SECOND = 1_000_000_000  # ns


@pytest.fixture
def root(tmp_path) -> Path:
    """A project with a small pinned dataset."""
    for name, content in {"meta/info.json": b"{}", "data/a.bin": b"a" * 100, "b.bin": b""}.items():
        path = tmp_path / "data/toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    make_manifest(dataset_folder(ENTRY, tmp_path), manifest_file(ENTRY, tmp_path))
    return tmp_path


@pytest.fixture
def verified(root) -> Path:
    """Its verification record."""
    record = current_record(ENTRY, root)
    verify(ENTRY, root, record)
    return record


def rewrite(path: Path, content: bytes) -> None:
    """Write as a program would that comes later: sizes may stay, times do not."""
    then = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(then + SECOND, then + SECOND))


def refusal(root: Path) -> str:
    with pytest.raises(UserError) as caught:
        verify(ENTRY, root, current_record(ENTRY, root))
    return str(caught.value)


def test_nothing_counts_as_verified_before_it_was(root):
    assert not current_record(ENTRY, root).exists()
    with pytest.raises(UserError, match="not those that were verified"):
        require_verified(ENTRY, root)


def test_verified_files_stay_verified(root, verified):
    assert verified.is_file()
    assert current_record(ENTRY, root) == verified
    assert require_verified(ENTRY, root) == read_manifest(manifest_file(ENTRY, root))


def test_touched_or_copied_files_stay_verified(root, verified):
    path = root / "data/toy/data/a.bin"
    rewrite(path, path.read_bytes())
    assert current_record(ENTRY, root) == verified
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)  # another inode
    assert current_record(ENTRY, root) == verified


def test_flipped_byte_stops_naming_file_hashes_and_way_back(root, verified):
    path = root / "data/toy/data/a.bin"
    expected = sha256_file(path)
    rewrite(path, b"a" * 99 + b"b")
    record = current_record(ENTRY, root)
    assert record != verified
    assert not record.exists()
    with pytest.raises(UserError, match="not those that were verified"):
        require_verified(ENTRY, root)
    message = refusal(root)
    for said in (str(path), expected, sha256_file(path), "dvc checkout --force data/toy.dvc"):
        assert said in message
    assert not record.exists()


def test_restored_bytes_need_no_new_verification(root, verified):
    path = root / "data/toy/data/a.bin"
    rewrite(path, b"b" * 100)
    assert current_record(ENTRY, root) != verified
    rewrite(path, b"a" * 100)
    assert current_record(ENTRY, root) == verified


def test_missing_file_is_named(root, verified):
    (root / "data/toy/b.bin").unlink()
    assert not current_record(ENTRY, root).exists()
    assert f"{root / 'data/toy/b.bin'} is missing" in refusal(root)


def test_unlisted_file_is_named(root):
    (root / "data/toy/data/extra.bin").write_bytes(b"x")
    assert f"{root / 'data/toy/data/extra.bin'} is not in the manifest" in refusal(root)


def test_file_added_after_verification_is_noticed(root, verified):
    """A reader that lists folders would read it."""
    (root / "data/toy/data/extra.bin").write_bytes(b"x")
    assert current_record(ENTRY, root) != verified


def test_every_problem_is_listed_at_once(root):
    rewrite(root / "data/toy/data/a.bin", b"c" * 100)
    (root / "data/toy/b.bin").unlink()
    (root / "data/toy/extra.bin").write_bytes(b"x")
    message = refusal(root)
    for name in ("data/a.bin", "b.bin", "extra.bin"):
        assert str(root / "data/toy" / name) in message


def test_other_pinned_content_has_records_of_its_own(root, verified):
    rewrite(root / "data/toy/b.bin", b"new")
    make_manifest(dataset_folder(ENTRY, root), manifest_file(ENTRY, root))
    record = current_record(ENTRY, root)
    assert record != verified
    verify(ENTRY, root, record)
    assert record.is_file()
    assert verified.is_file()


@pytest.mark.parametrize("path", ["../x", "data/../../x", "/etc/hosts", "a/./b", "", "a\\b", "~/x"])
def test_manifest_that_leaves_its_folder_is_refused(root, path):
    file = {"path": path, "bytes": 1, "sha256": "0", "md5": "0"}
    manifest_file(ENTRY, root).write_text(json.dumps({"schema": 2, "files": [file]}))
    with pytest.raises(UserError, match="unsafe path"):
        read_manifest(manifest_file(ENTRY, root))


@pytest.mark.parametrize("text", ["{}", "[]", '{"files": [{"path": "a"}]}', '{"files": ['])
def test_damaged_manifest_is_refused(root, text):
    manifest_file(ENTRY, root).write_text(text)
    with pytest.raises(UserError, match=r"toy\.manifest\.json"):
        current_record(ENTRY, root)


def test_missing_manifest_says_how_to_pin(root):
    manifest_file(ENTRY, root).unlink()
    with pytest.raises(UserError, match="not pinned here") as caught:
        current_record(ENTRY, root)
    assert "data/README.md" in caught.value.way_out


def test_content_does_not_depend_on_the_order_of_files(root):
    manifest = read_manifest(manifest_file(ENTRY, root))
    assert content_hash(Manifest(files=manifest.files[::-1])) == content_hash(manifest)
    renamed = manifest.files[0].model_copy(update={"path": "renamed"})
    assert content_hash(Manifest(files=[renamed, *manifest.files[1:]])) != content_hash(manifest)


def test_change_that_hides_its_time_is_noticed(root, verified):
    """Size and time of modification can be put back; the time of change cannot."""
    path = root / "data/toy/data/a.bin"
    before = path.stat()
    path.write_bytes(b"a" * 99 + b"b")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "does not hold the bytes that were recorded" in refusal(root)


def test_full_verification_reads_everything_again(root, verified):
    record = current_record(ENTRY, root, full=True)
    assert record != verified
    assert not record.exists()


def test_pointer_and_manifest_of_the_embedded_dataset_agree():
    entry = load_registry(ROOT)["metaworld-4tasks"]
    check_pointer(read_manifest(manifest_file(entry, ROOT)), pointer_file(entry, ROOT))


def test_pointer_to_other_files_than_the_manifest_lists_stops(root):
    pointer, manifest = pointer_file(ENTRY, root), read_manifest(manifest_file(ENTRY, root))
    with pytest.raises(UserError, match="not tracked by DVC"):
        check_pointer(manifest, pointer)
    pointer.write_text(f"outs:\n- md5: {'0' * 32}.dir\n  size: 102\n  nfiles: 3\n  path: toy\n")
    with pytest.raises(UserError, match="pin different files"):
        check_pointer(manifest, pointer)
    for torn in ("", "outs: [", "outs:\n- path: toy\n"):
        pointer.write_text(torn)
        with pytest.raises(UserError, match=pointer.name):
            check_pointer(manifest, pointer)


def test_empty_folder_gives_no_manifest(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no files"):
        make_manifest(tmp_path / "empty", tmp_path / "manifest.json")
    assert not (tmp_path / "manifest.json").exists()
