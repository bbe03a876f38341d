"""What a public page may say, and which folder it may fill."""

import socket
from pathlib import Path

import pytest

from vla.errors import UserError
from vla.files.hashing import sha256_bytes
from vla.records.site import SiteRecord
from vla.site.folder import new_page
from vla.site.privacy import Privacy

ROOT = Path("/srv/lab/vla")
SAID = {
    "Killed on node12.cluster.example, in /srv/lab/vla/logs/a.log.": "Killed on [machine], in logs/a.log.",
    "node12 had no space in /scratch/anna/tmp": "[machine] had no space in …/tmp",
    "see https://example.org/a/b, ../data/a/b and 1/2 of both/and": None,
    "node123 and my-node12 are others": None,
    f"here, {socket.gethostname()}": "here, [machine]",
}


@pytest.fixture
def privacy():
    return Privacy(ROOT, {"node12.cluster.example"})


@pytest.mark.parametrize(("text", "shown"), SAID.items())
def test_texts_lose_machines_and_their_paths_and_nothing_else(privacy, text, shown):
    assert privacy.clean({"events": [text]}) == {"events": [shown or text]}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "on node12.cluster.example"}',
        f'{{"a": "{ROOT}/data"}}',
        "<p>/home/anna/x&amp;y</p>",
        "hf_" + "x" * 34,
        "MY_PASSWORD is s&amp;cret-word",
    ],
)
def test_a_file_that_still_tells_is_refused(privacy, monkeypatch, text):
    monkeypatch.setenv("MY_PASSWORD", "s&cret-word")
    monkeypatch.setenv("HOME", "/home/anna")
    with pytest.raises(UserError, match=r"a\.(html|json)"):
        privacy.require("a.html" if "<" in text or "&" in text else "a.json", text.encode())
    privacy.require("a.html", b"<p>on the node, in data/</p>")


def write(folder: Path, **files: str) -> None:
    with new_page(folder, Privacy(ROOT, ())) as draft:
        for name, text in files.items():
            draft.add(name.replace("__", "/") + ".html", text.encode())


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_a_page_is_replaced_by_the_next_one_and_what_lies_beside_it_stays(tmp_path):
    folder = tmp_path / "public/page"
    write(folder, index="1", old__a="1")
    (folder / "CNAME").write_text("lab.example.org")
    times = (folder / "index.html").stat().st_mtime_ns
    write(folder, index="1", new__b="2")
    assert names(folder) == {"index.html", "new/b.html", "site.json", "CNAME"}
    assert not (folder / "old").exists()
    assert (folder / "index.html").stat().st_mtime_ns == times, "what is equal is not written again"
    record = SiteRecord.read(folder / "site.json")
    assert record.complete
    assert record.files == {"index.html": sha256_bytes(b"1"), "new/b.html": sha256_bytes(b"2")}
    assert list(folder.parent.iterdir()) == [folder], "no draft is left"


def test_a_folder_of_others_is_never_touched(tmp_path):
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(UserError, match=r"not made by vla site.*\n.*Name a folder"):
        write(tmp_path, index="1")
    (tmp_path / "page").mkdir()
    write(tmp_path / "page", index="1")
    (tmp_path / "page/about.html").write_text("mine")
    with pytest.raises(UserError, match=r"about\.html is there already"):
        write(tmp_path / "page", index="2", about="2")
    assert (tmp_path / "page/about.html").read_text() == "mine"
    assert (tmp_path / "page/index.html").read_text() == "1", "as it was"
    assert (tmp_path / "index.html").read_text() == "mine"


def test_a_record_that_lists_files_elsewhere_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    record = SiteRecord(complete=True, files={"../thesis.tex": "0" * 64})
    record.write(tmp_path / "page/site.json")
    with pytest.raises(UserError, match="is no file of a page"):
        write(tmp_path / "page", index="1")
    assert (tmp_path / "thesis.tex").is_file()


def test_a_page_whose_making_fails_leaves_the_one_before(tmp_path):
    write(tmp_path / "page", index="1")
    with pytest.raises(UserError, match="GitHub token"):
        write(tmp_path / "page", index="2", notes="ghp_" + "x" * 36)
    assert (tmp_path / "page/index.html").read_text() == "1"
    assert list(tmp_path.iterdir()) == [tmp_path / "page"]


def test_a_page_that_was_broken_off_is_made_whole_by_the_next_one(tmp_path):
    write(tmp_path / "page", index="1")
    files = {"index.html": "0" * 64, "a.html": "0" * 64, "never_came.html": "0" * 64}
    SiteRecord(complete=False, files=files).write(tmp_path / "page/site.json")
    (tmp_path / "page/a.html").write_text("new")
    write(tmp_path / "page", index="2", b="2")
    assert names(tmp_path / "page") == {"index.html", "b.html", "site.json"}
