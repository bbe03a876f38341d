"""Unpack an archive from a stranger: all of it is looked at before a byte is written.

Packages are not compressed, so that none can unfold to more than its own size; whatever else a ZIP
file can do that a package does not is refused. Standard library only.
"""

import hashlib
import shutil
import stat
import unicodedata
import zipfile
from pathlib import Path

from vla.errors import UserError
from vla.package.checking import SUMS, WAY_OUT, parse_sums, path_problem, refuse

ENTRIES = 200_000
LOCAL_HEADER = 30  # bytes, at least, before each file's content
LARGEST_LISTING = 50_000_000  # bytes


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into `folder`, which must not exist; it is whole and checked, or not there.

    `UserError` for what is no package, damaged, or would write outside.
    """
    if folder.exists() or folder.is_symlink():
        raise UserError(f"{folder} exists.", "Name a folder that does not, or remove it.")
    partial = folder.with_name(f".{folder.name}.part")
    try:
        with zipfile.ZipFile(archive) as content:
            problems = listing_problems(content, archive.stat().st_size)
            if problems:
                raise refuse(problems, archive)
            sums = _sums(content, archive)
            _require_space(content, folder)
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for entry in content.infolist():
                _write(content, entry, sums, partial)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename or archive} is missing.", "Name a package.") from None
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(f"{archive} is refused: no whole ZIP file ({error}).", WAY_OUT) from None
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(folder)


def is_unpacked(archive: Path, folder: Path) -> bool:
    """Whether `folder` is of that archive, by their lists of hashes; its files need another look."""
    try:
        with zipfile.ZipFile(archive) as content, content.open(SUMS) as stream:
            listed = stream.read(LARGEST_LISTING)
        return listed == (folder / SUMS).read_bytes()
    except (zipfile.BadZipFile, KeyError, OSError):
        return False


def listing_problems(content: zipfile.ZipFile, size: int) -> list[str]:
    """What about an archive's listing no package has. `size`: of the archive (bytes)."""
    entries = content.infolist()
    if len(entries) > ENTRIES:
        return [f"it lists {len(entries)} files"]
    problems = [problem for entry in entries if (problem := _entry_problem(entry))]
    problems += _name_problems([entry.filename for entry in entries])
    problems += _place_problems(entries, size)
    if SUMS not in {entry.filename for entry in entries}:
        problems.append(f"it has no {SUMS}")
    return problems


def _entry_problem(entry: zipfile.ZipInfo) -> str:
    name, mode = entry.filename, entry.external_attr >> 16
    shown = ascii(name)[:100]
    # The name as it stands in the archive: zipfile cuts it at a zero byte.
    problem = path_problem(entry.orig_filename) or path_problem(name)
    if problem:
        return problem
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return f"{shown} is a link, a device, or another thing than a file"
    if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        return f"{shown} asks for rights of another user"
    if entry.flag_bits & 0x1:
        return f"{shown} is encrypted"
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        return f"{shown} is compressed, which no file of a package is"
    return ""


def _name_problems(names: list[str]) -> list[str]:
    """Names that mean one file twice, on this file system or on another."""
    problems, seen = [], {}
    for name in names:
        same = unicodedata.normalize("NFC", name).casefold()
        if same in seen:
            problems.append(f"{name!a} and {seen[same]!a} are one name to some systems")
        seen[same] = name
    folders = {
        "/".join(name.split("/")[:n]) for name in seen for n in range(1, name.count("/") + 1)
    }
    problems += [f"{seen[name]!a} is a file and a folder" for name in folders & seen.keys()]
    return problems


def _place_problems(entries: list[zipfile.ZipInfo], size: int) -> list[str]:
    """Files that overlap, or lie outside of the archive: so a small archive claims much content."""
    end, problems = 0, []
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            problems.append(f"{entry.filename!a} overlaps another file")
        end = max(end, entry.header_offset + LOCAL_HEADER + entry.compress_size)
    if end > size:
        problems.append(f"it claims {end} bytes of content and has {size}")
    if entries and min(entry.header_offset for entry in entries) != 0:
        problems.append("something stands before its first file")
    return problems


def _sums(content: zipfile.ZipFile, archive: Path) -> dict[str, str]:
    """The archive's SHA256SUMS, when it lists exactly the other files."""
    if content.getinfo(SUMS).file_size > LARGEST_LISTING:
        raise refuse([f"{SUMS} is too large"], archive)
    sums = parse_sums(content.read(SUMS).decode("utf-8"))
    names = {entry.filename for entry in content.infolist()} - {SUMS}
    problems = [f"{name} is not listed in {SUMS}" for name in sorted(names - sums.keys())]
    problems += [f"{name} is missing" for name in sorted(sums.keys() - names)]
    if problems:
        raise refuse(problems, archive)
    return sums


def _require_space(content: zipfile.ZipFile, folder: Path) -> None:
    needed = sum(entry.file_size for entry in content.infolist())
    existing = next(path for path in folder.absolute().parents if path.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise UserError(
            f"{folder} needs {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free.",
            "Free some, or name a folder on another disk.",
        )


def _write(
    content: zipfile.ZipFile, entry: zipfile.ZipInfo, sums: dict[str, str], folder: Path
) -> None:
    path = folder / entry.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with content.open(entry) as source, open(path, "xb") as target:
        while block := source.read(1 << 20):
            digest.update(block)
            target.write(block)
    if entry.filename != SUMS and digest.hexdigest() != sums[entry.filename]:
        raise refuse([f"{entry.filename} has other bytes than {SUMS} lists"], content.filename)
    path.chmod(0o755 if entry.external_attr >> 16 & stat.S_IXUSR else 0o644)
