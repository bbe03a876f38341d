"""Nothing reads a dataset before its bytes were checked; what changes afterwards is noticed."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from tests.project import ROOT
from vla.config.datasets import DatasetEntry
from vla.data.manifest import content_hash, list_files, make_manifest, read_manifest
from vla.data.places import dataset_folder, manifest_file, pointer_file
from vla.data.pointer import check_pointer, read_pins
from vla.data.verification import current_record, require_verified, verify
from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.files.sealed import read_sealed, write_sealed
from vla.plan.reading import load_registry
from vla.records.manifest import Manifest, PinnedFile

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
    point(ENTRY, tmp_path)
    return tmp_path


def point(entry: DatasetEntry, root: Path, **values: object) -> None:
    """Write the pointer that `dvc add` writes, with the hash by DVC's own code; `values` differ."""
    listed = list_files(dataset_folder(entry, root)).files
    output = {"md5": listed[0].md5, "size": sum(file.bytes for file in listed), "hash": "md5"}
    if dataset_folder(entry, root).is_dir():
        output |= {"md5": folder_hash(listed), "nfiles": len(listed)}
    output |= {"path": Path(entry.path).name} | values
    output = {name: value for name, value in output.items() if value is not None}
    pointer_file(entry, root).write_text(yaml.safe_dump({"outs": [output]}))


def folder_hash(files: Iterable[PinnedFile]) -> str:
    """What DVC's own code knows a folder of these files by."""
    tree = Tree()
    for file in files:
        tree.add(tuple(file.path.split("/")), None, HashInfo("md5", file.md5))
    tree.digest()
    return tree.hash_info.value


def edit_line(root: Path, name: str, **values: object) -> None:
    """Change what the manifest says of one file."""
    path = manifest_file(ENTRY, root)
    manifest = Manifest.read(path)
    files = [
        file.model_copy(update=values) if file.path == name else file for file in manifest.files
    ]
    Manifest(files=files).write(path)


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
    require_verified(ENTRY, root)


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
    point(ENTRY, root)
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
    assert read_pins(load_registry(ROOT)["metaworld-4tasks"], ROOT).pointer.endswith(".dir")


def test_file_changed_with_its_line_stops_naming_pointer_and_file(root, verified):
    """The whole line: then the pointer alone has the old bytes."""
    rewrite(root / "data/toy/data/a.bin", b"b" * 100)
    make_manifest(dataset_folder(ENTRY, root), manifest_file(ENTRY, root))
    for use in (current_record, require_verified, lambda *what: verify(*what, verified)):
        with pytest.raises(UserError) as caught:
            use(ENTRY, root)
        for said in (str(pointer_file(ENTRY, root)), "pin different files", "dvc fetch"):
            assert said in caught.value.problem
        assert "vla pin data/toy" in caught.value.way_out


def test_file_changed_with_its_sha256_stops_in_verification(root, verified):
    """Half the line: manifest and pointer agree on DVC's hash, which the bytes no longer have."""
    path = root / "data/toy/data/a.bin"
    old = read_manifest(manifest_file(ENTRY, root)).files[1].md5
    rewrite(path, b"b" * 100)
    edit_line(root, "data/a.bin", sha256=sha256_file(path))
    record = current_record(ENTRY, root)
    message = refusal(root)
    for said in (str(path), f"expected md5 {old}", "data/toy.dvc", "dvc checkout --force"):
        assert said in message
    assert "expected sha256" not in message
    assert not record.exists()


def test_files_that_pointer_and_manifest_differ_in_are_named(root):
    """DVC's own list of the pointed folder, where it is in its cache."""
    before = [{"md5": f.md5, "relpath": f.path} for f in list_files(root / "data/toy").files]
    before = sorted(before, key=lambda file: file["relpath"])
    pinned = read_pins(ENTRY, root).pointer
    cached = root / ".dvc/cache/files/md5" / pinned[:2] / pinned[2:]
    cached.parent.mkdir(parents=True)
    cached.write_text(json.dumps(before))
    rewrite(root / "data/toy/data/a.bin", b"b" * 100)
    (root / "data/toy/more.bin").write_bytes(b"more")
    make_manifest(dataset_folder(ENTRY, root), manifest_file(ENTRY, root))
    with pytest.raises(UserError) as caught:
        current_record(ENTRY, root)
    for said in ("data/a.bin: md5 ", "more.bin: md5 none in the pointer"):
        assert said in caught.value.problem
    assert "meta/info.json" not in caught.value.problem
    cached.write_text("[]")
    with pytest.raises(UserError, match="not on this machine"):
        current_record(ENTRY, root)


def test_edited_pointer_is_verified_anew(root, verified):
    """With the manifest's MD5 edited to fit, SHA-256 and file states still say what was verified."""
    edit_line(root, "data/a.bin", md5="0" * 32)
    with pytest.raises(UserError, match="pin different files"):
        current_record(ENTRY, root)
    point(ENTRY, root, md5=folder_hash(read_manifest(manifest_file(ENTRY, root)).files))
    assert not current_record(ENTRY, root).exists()
    assert "expected md5 " + "0" * 32 in refusal(root)
    make_manifest(dataset_folder(ENTRY, root), manifest_file(ENTRY, root))
    point(ENTRY, root)
    assert current_record(ENTRY, root) == verified, "what is restored stays verified"


def test_sizes_in_the_manifest_are_those_of_the_files(root, verified):
    """Two that are wrong together: the sum, which the pointer has, is the same."""
    edit_line(root, "data/a.bin", bytes=99)
    edit_line(root, "b.bin", bytes=1)
    assert not current_record(ENTRY, root).exists()
    assert "(99 bytes)" in refusal(root)


def test_record_of_before_the_pointer_was_compared_counts_no_more(root, verified):
    content = read_sealed(verified) | {"schema": 2}
    del content["pointer"]
    write_sealed(verified, content)
    assert not current_record(ENTRY, root).exists()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"md5": "0" * 32 + ".dir"}, "pin different files"),
        ({"md5": "0" * 32}, "pin different files"),
        ({"size": 101}, "size: 101 in the pointer, 102 by the manifest"),
        ({"nfiles": 4}, "nfiles: 4 in the pointer, 3 by the manifest"),
        ({"hash": None}, "md5-dos2unix"),
        ({"hash": "blake3"}, "hash: blake3"),
        ({"path": "other"}, "points to"),
        ({"md5": None, "etag": "1"}, "known by its MD5"),
    ],
)
def test_pointer_to_anything_else_stops_naming_it(root, verified, values, said):
    point(ENTRY, root, **values)
    with pytest.raises(UserError) as caught:
        current_record(ENTRY, root)
    assert said in caught.value.problem
    assert str(pointer_file(ENTRY, root)) in caught.value.problem
    assert "vla pin data/toy" in caught.value.way_out


@pytest.mark.parametrize("torn", ["", "outs: [", "outs: []\n", "outs:\n- path: toy\n", "outs: 3\n"])
def test_torn_pointer_stops_naming_it(root, torn):
    pointer = pointer_file(ENTRY, root)
    pointer.write_text(torn)
    with pytest.raises(UserError, match=pointer.name):
        check_pointer(read_manifest(manifest_file(ENTRY, root)), pointer, root)


def test_missing_pointer_stops(root, verified):
    pointer_file(ENTRY, root).unlink()
    with pytest.raises(UserError, match="not tracked by DVC"):
        current_record(ENTRY, root)


def test_dataset_of_one_file_is_verified_like_a_folder(tmp_path):
    entry = ENTRY.model_copy(update={"path": "data/one.bin"})
    path = tmp_path / "data/one.bin"
    path.parent.mkdir()
    path.write_bytes(b"a" * 10)
    (tmp_path / "data/another").write_bytes(b"of somebody else")
    make_manifest(path, manifest_file(entry, tmp_path))
    point(entry, tmp_path)
    record = current_record(entry, tmp_path)
    verify(entry, tmp_path, record)
    assert current_record(entry, tmp_path) == record
    rewrite(path, b"b" * 10)
    assert current_record(entry, tmp_path) != record
    make_manifest(path, manifest_file(entry, tmp_path))
    with pytest.raises(UserError, match=r"one\.bin\.dvc.*\n(.*\n)*.*one\.bin: md5 "):
        current_record(entry, tmp_path)


def test_folder_whose_only_file_has_its_name_is_refused(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/x").write_bytes(b"")
    with pytest.raises(UserError, match="only file of a folder of its own name"):
        list_files(tmp_path / "x")


def test_file_of_an_odd_name_is_refused(tmp_path):
    (tmp_path / "a b").write_bytes(b"")
    with pytest.raises(UserError, match="a b cannot be pinned"):
        list_files(tmp_path)


def test_empty_folder_gives_no_manifest(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no files"):
        make_manifest(tmp_path / "empty", tmp_path / "manifest.json")
    assert not (tmp_path / "manifest.json").exists()
