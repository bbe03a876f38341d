"""Packages are written from files, some bytes at a time, whatever their size."""

import os
import tracemalloc

import pytest

from vla.errors import UserError
from vla.files.hashing import sha256_file
from vla.package.secrets import require_no_secrets
from vla.package.writing import BLOCK, PackedFile, with_sums, write_archive

LARGE = 64 * BLOCK + 5


def archive_of(folder, content) -> str:
    write_archive(with_sums({"large": PackedFile(content)}), folder / "package.zip")
    return sha256_file(folder / "package.zip")


def test_file_gives_the_archive_that_its_bytes_give_in_little_memory(tmp_path):
    path = tmp_path / "large"
    with open(path, "wb") as stream:
        stream.write(b"begin")
        stream.truncate(LARGE)
    of_bytes = archive_of(tmp_path, path.read_bytes())
    tracemalloc.start()
    try:
        assert archive_of(tmp_path, path) == of_bytes
        require_no_secrets([("large", PackedFile(path).blocks())])
        assert tracemalloc.get_traced_memory()[1] < 8 * BLOCK
    finally:
        tracemalloc.stop()


def test_file_that_changes_while_it_is_packed_is_refused(tmp_path):
    (tmp_path / "log").write_text("before")
    files = with_sums({"log": PackedFile(tmp_path / "log")})
    (tmp_path / "log").write_text("behind")
    with pytest.raises(UserError, match="log changed while it was packed"):
        write_archive(files, tmp_path / "package.zip")
    assert os.listdir(tmp_path) == ["log"]  # noqa: PTH208


TOKEN = b"gh" + b"p_" + b"a1B2" * 9


@pytest.mark.parametrize("before", [0, BLOCK - 20, BLOCK])
@pytest.mark.parametrize("secret", [TOKEN, b"wherever blocks meet"])
def test_secret_is_found_where_blocks_meet(tmp_path, before, secret):
    path = tmp_path / "log"
    path.write_bytes(bytes(before) + secret + bytes(BLOCK))
    with pytest.raises(UserError, match="log: holds"):
        require_no_secrets(
            [("log", PackedFile(path).blocks())], {"MY_TOKEN": "wherever blocks meet"}
        )


def test_word_that_ends_as_a_token_begins_is_none():
    require_no_secrets([("log", [b"x" + TOKEN])], {})
