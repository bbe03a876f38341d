"""An archive from a stranger writes nothing outside, and nothing at all when it is no whole package."""

import io
import os
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vla.errors import UserError
from vla.package.checking import SUMS, check_folder
from vla.package.unpacking import unpack
from vla.package.writing import PackedFile, with_sums, write_archive

GOOD = {
    "README.md": PackedFile(b"read me"),
    "source/run.sh": PackedFile(b"#!/bin/sh", True),
    "caf\u00e9.txt": PackedFile(b"one character"),
}
Forge = Callable[[Path], None]


def entry(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, mode << 16
    return info


def with_entry(name: str, content: bytes = b"evil", mode: int = 0o100644) -> Forge:
    """A package whose SHA256SUMS lists one file more, which is that entry."""

    def forge(path: Path) -> None:
        sums = with_sums(GOOD | {name: PackedFile(content)})[SUMS]
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w") as archive:
            for good, file in GOOD.items():
                archive.writestr(entry(good), file.content)
            archive.writestr(entry(SUMS), sums.content)
            archive.writestr(entry(name, mode), content)

    return forge


def with_name_of_zero_byte(path: Path) -> None:
    with_entry("READMEXmd.sh")(path)
    path.write_bytes(path.read_bytes().replace(b"READMEXmd.sh", b"README\0md.sh"))


def compressed(path: Path) -> None:
    """A bomb: 100 MB of zeros in 100 kB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000_000))
        archive.writestr(SUMS, "")


def overlapping(path: Path) -> None:
    """A bomb without compression: two entries that share the content."""
    write_archive(with_sums(GOOD), path)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        first, second = archive.infolist()[:2]
    old = struct.pack("<L", second.header_offset) + second.filename.encode()
    assert content.count(old) == 1
    new = struct.pack("<L", first.header_offset) + second.filename.encode()
    path.write_bytes(content.replace(old, new))


def changed(path: Path) -> None:
    """One byte of a file, with the CRC that it then has."""
    files = with_sums(GOOD)
    write_archive(files | {"README.md": PackedFile(b"read it")}, path)


def damaged(path: Path) -> None:
    """One byte of a file."""
    write_archive(with_sums(GOOD), path)
    path.write_bytes(path.read_bytes().replace(b"read me", b"read it"))


def cut_off(path: Path) -> None:
    write_archive(with_sums(GOOD), path)
    path.write_bytes(path.read_bytes()[:-60])


def with_something_before(path: Path) -> None:
    write_archive(with_sums(GOOD), path)
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())


def encrypted(path: Path) -> None:
    write_archive(with_sums(GOOD), path)
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    path.write_bytes(content)


def files(changes: dict[str, PackedFile | None]) -> Forge:
    """A package with other files than its SHA256SUMS lists; None leaves one out."""

    def forge(path: Path) -> None:
        content = with_sums(GOOD) | changes
        write_archive({name: file for name, file in content.items() if file}, path)

    return forge


def sums(text: str) -> Forge:
    return files({SUMS: PackedFile(text.encode())})


def no_archive(path: Path) -> None:
    path.write_bytes(b"no archive")


def tar(path: Path) -> None:
    import tarfile

    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("x"), io.BytesIO())


DIGEST = "0" * 64
HOSTILE: dict[str, Forge] = {
    "absolute path": with_entry("/tmp/evil"),
    "upward path": with_entry("../evil"),
    "upward path inside": with_entry("source/../../evil"),
    "path of another system": with_entry("..\\evil"),
    "drive of another system": with_entry("C:/evil"),
    "empty part": with_entry("source//evil"),
    "dot part": with_entry("./evil"),
    "name with a line end": with_entry("evil\nfile"),
    "name with a zero byte": with_name_of_zero_byte,
    "name that is too long": with_entry("e" * 300),
    "symbolic link": with_entry("evil", b"/etc/passwd", stat.S_IFLNK | 0o777),
    "device": with_entry("evil", mode=stat.S_IFCHR | 0o666),
    "pipe": with_entry("evil", mode=stat.S_IFIFO | 0o666),
    "socket": with_entry("evil", mode=stat.S_IFSOCK | 0o666),
    "rights of another user": with_entry("evil", mode=stat.S_IFREG | stat.S_ISUID | 0o755),
    "folder of its own": with_entry("evil/", b"", stat.S_IFDIR | 0o755),
    "the same name twice": with_entry("README.md"),
    "names that differ in case": with_entry("readme.md"),
    "names that one system takes for one": with_entry("cafe\u0301.txt"),
    "file and folder": with_entry("README.md/evil"),
    "where a reproduction works": with_entry("reproduction/environment/bin/python"),
    "compressed bomb": compressed,
    "overlapping bomb": overlapping,
    "encrypted": encrypted,
    "changed byte": changed,
    "damaged": damaged,
    "cut off": cut_off,
    "something before it": with_something_before,
    "file that is not listed": files({"evil.py": PackedFile(b"evil")}),
    "file that is missing": files({"README.md": None}),
    "no list": files({SUMS: None}),
    "list that is none": sums("evil\n"),
    "list that leads outside": sums(f"{DIGEST}  ../evil\n"),
    "list with a file twice": sums(f"{DIGEST}  README.md\n" * 2),
    "list that is no text": files({SUMS: PackedFile(b"\xff\xfe")}),
    "no archive": no_archive,
    "another archive": tar,
    "nothing": lambda path: None,
}


@pytest.fixture
def package(tmp_path) -> Path:
    path = tmp_path / "in/package.zip"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_archive_is_refused_and_nothing_is_written(forge, package, tmp_path):
    forge(package)
    (tmp_path / "out").mkdir()
    before = everything(tmp_path)
    with pytest.raises(UserError) as refusal:
        unpack(package, tmp_path / "out/package")
    assert str(package) in refusal.value.problem or SUMS in refusal.value.problem
    assert everything(tmp_path) == before
    assert not Path("/tmp/evil").exists()


def everything(folder: Path) -> dict[Path, bytes | None]:
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def test_good_archive_is_unpacked_as_it_was(package, tmp_path):
    write_archive(with_sums(GOOD), package)
    folder = tmp_path / "out/package"
    unpack(package, folder)
    assert check_folder(folder).keys() == GOOD.keys()
    assert (folder / "README.md").read_bytes() == b"read me"
    assert os.access(folder / "source/run.sh", os.X_OK)
    assert not os.access(folder / "README.md", os.X_OK)
    with pytest.raises(UserError, match="exists"):
        unpack(package, folder)


def link(folder: Path) -> None:
    """To the same bytes, which may be others tomorrow."""
    (folder / "README.md").rename(folder.with_name("elsewhere"))
    (folder / "README.md").symlink_to(folder.with_name("elsewhere"))


def folder_link(folder: Path) -> None:
    (folder / "more").symlink_to("/etc")


@pytest.mark.parametrize(
    "change",
    [
        link,
        folder_link,
        lambda folder: (folder / "README.md").unlink(),
        lambda folder: (folder / "README.md").write_text("read it"),
        lambda folder: (folder / "source/evil.py").write_text("evil"),
        lambda folder: os.mkfifo(folder / "pipe"),
        lambda folder: (folder / SUMS).unlink(),
    ],
)
def test_unpacked_package_that_changed_is_refused(change, package, tmp_path):
    write_archive(with_sums(GOOD), package)
    folder = tmp_path / "package"
    unpack(package, folder)
    change(folder)
    with pytest.raises(UserError, match=r"refused|no package"):
        check_folder(folder)
