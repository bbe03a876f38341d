"""Packages for double-blind review: what is replaced, what follows it, and what is found wherever it hides."""

import base64
import gzip
import io
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typst
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.numpy import save

from vla.errors import UserError
from vla.files.described import File, describe_file
from vla.files.hashing import sha256_bytes
from vla.files.sealed import read_sealed, write_sealed
from vla.package.anonymising import Anonymiser
from vla.package.identities import Identity, of_record
from vla.package.searching import require_anonymous, search
from vla.package.standing_in import StandIns
from vla.package.writing import BLOCK, PackedFile

NAME = "Zoë Quillfeather"
COMMIT = "c0ffee12" * 5
WHO = [
    *(Identity("author", NAME), Identity("e-mail address", "zoe@quill.example")),
    *(Identity("host name", "quillbox01"), Identity("host name", "quillbox02")),
    *(Identity("user name", "zquill"), Identity("folder", "/home/zquill")),
    *(Identity("project folder", "/home/zquill/vla"), Identity("commit", COMMIT)),
    Identity("further word", "OwlLab"),
]


@pytest.fixture
def stand_ins() -> StandIns:
    return StandIns(WHO)


def replaced(stand_ins: StandIns, text: str) -> str:
    return stand_ins.replace(text.encode())[0].decode()


def test_values_are_replaced_however_they_are_written(stand_ins):
    assert replaced(stand_ins, f"{NAME} <ZOE@quill.example>") == "Anonymous <anonymous@example.org>"
    assert (
        replaced(stand_ins, json.dumps([NAME, "Zoe Quillfeather"])) == '["Anonymous", "Anonymous"]'
    )
    assert replaced(stand_ins, "Zo&euml; zoe%40quill.example") == "Zo&euml; zoe%40quill.example"
    assert (
        replaced(stand_ins, "on quillbox02, not quillbox021")
        == "on anonymous-host-2, not quillbox021"
    )
    assert replaced(stand_ins, "/home/zquill/vla/run.json") == "/anonymous/project/run.json"
    assert replaced(stand_ins, "/home/zquill/secret-lab/bin/python -m") == "/anonymous/elsewhere -m"
    assert replaced(stand_ins, f"{COMMIT} {COMMIT[:7]} {COMMIT[:7]}99") == (
        f"1{'0' * 39} 1000000 {COMMIT[:7]}99"
    )
    assert replaced(stand_ins, "owllabs") == "anonymouss"


def record(folder: Path, name: str, **values: object) -> PackedFile:
    write_sealed(folder / name, values)
    return PackedFile((folder / name).read_bytes())


def test_hashes_sizes_and_seals_follow_what_was_replaced(stand_ins, tmp_path):
    """A log names its host, a record the log, a table the record: each is right for what is packed."""
    (tmp_path / "log").write_text("ran on quillbox01\n")
    log = describe_file(tmp_path / "log", tmp_path)
    run = record(tmp_path, "run.json", host="x1", log=vars(log), identity={"seed": 1})
    files = {
        "outputs/log": PackedFile(tmp_path / "log"),
        "outputs/run.json": run,
        "README.md": PackedFile(f"run.json `{run.sha256[:16]}…`".encode()),
        "data/notes.txt": PackedFile(b"quillbox01"),
    }
    anonymiser = Anonymiser(stand_ins, tmp_path / "work")
    changed = anonymiser.apply(files)
    assert changed["outputs/log"].content.read_text() == "ran on anonymous-host-1\n"
    packed = read_sealed(changed["outputs/run.json"].content)
    assert packed["host"] == "anonymous-host"
    assert File(**packed["log"]) == File("log", 24, changed["outputs/log"].sha256)
    shown = changed["README.md"].content.read_text()
    assert shown == f"run.json `{changed['outputs/run.json'].sha256[:16]}…`"
    assert changed["data/notes.txt"] is files["data/notes.txt"]
    told = anonymiser.record((), 4)
    assert told.resealed == ("outputs/run.json",)
    assert "outputs/log" in told.rewritten
    assert "quill" not in told.model_dump_json()
    with pytest.raises(UserError, match=r"data/notes\.txt: the host name 'quillbox01'"):
        require_anonymous(changed, stand_ins)
    del changed["data/notes.txt"]
    assert require_anonymous(changed, stand_ins) == 3


def test_a_log_of_many_blocks_loses_every_value_and_nothing_else(stand_ins, tmp_path):
    """It is read in blocks of whole lines; a value stands in each line, so also where blocks meet."""
    lines = [f"step {number:06} of zquill on quillbox01, loss 0.5\n" for number in range(50_000)]
    (tmp_path / "log").write_text("".join(lines))
    files = {"outputs/log": PackedFile(tmp_path / "log")}
    assert files["outputs/log"].size > 2 * BLOCK
    changed = Anonymiser(stand_ins, tmp_path / "work").apply(files)
    expected = [
        f"step {number:06} of anonymous-user on anonymous-host-1, loss 0.5\n"
        for number in range(50_000)
    ]
    assert changed["outputs/log"].content.read_text() == "".join(expected)
    assert require_anonymous(changed, stand_ins) == 1


def test_key_that_would_change_is_refused(stand_ins, tmp_path):
    run = record(tmp_path, "run.json", identity={"model": {"pretrained": "/home/zquill/w"}})
    with pytest.raises(UserError, match="what decides its key tells who made it: model"):
        Anonymiser(stand_ins, tmp_path / "work").apply({"outputs/run.json": run})


def test_a_simulators_commit_is_a_setting_and_none_of_ours():
    simulator = {"evaluation": {"simulator": {"commit": "1431a46"}}}
    record = {"git": {"commit": COMMIT}, "identity": simulator}
    assert set(of_record(record)) == {Identity("commit", COMMIT)}


@pytest.mark.parametrize(
    ("code", "refused"), [("# by zquill\nA = 1\n", False), ("A = 'zquill'\n", True)]
)
def test_code_may_change_in_its_comments_alone(stand_ins, tmp_path, code, refused):
    (tmp_path / "words.py").write_text(code)
    files = {"source/vla/words.py": PackedFile(tmp_path / "words.py")}
    anonymiser = Anonymiser(stand_ins, tmp_path / "work")
    if refused:
        with pytest.raises(
            UserError, match=r"vla/words\.py has the user name 'zquill' in its code"
        ):
            anonymiser.apply(files)
    else:
        assert b"zquill" not in anonymiser.apply(files)["source/vla/words.py"].content.read_bytes()


def png(text: str, compressed: bool) -> bytes:
    about, stream = PngInfo(), io.BytesIO()
    about.add_text("Author", text, zip=compressed)
    Image.new("RGB", (2, 2)).save(stream, "PNG", pnginfo=about)
    return stream.getvalue()


def figure(text: str, fonttype: int) -> bytes:
    drawing, stream = Figure(), io.BytesIO()
    drawing.text(0.1, 0.5, text)
    with mpl.rc_context({"pdf.fonttype": fonttype}):
        drawing.savefig(stream, format="pdf")
    return stream.getvalue()


def typeset(source: str) -> bytes:
    return typst.compile(source.encode(), format="pdf")


def table(text: str) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": [text] * 9}), stream, compression="zstd")
    return stream.getvalue()


HIDING = {
    "text": f"… {NAME}".encode(),
    "picture's text": png("quillbox01", False),
    "picture's compressed text": png("quillbox01", True),
    "picture in a page": b'<img src="data:image/png;base64,%b">'
    % base64.b64encode(png("quillbox01", True)),
    "figure": figure("on quillbox01", 42),
    "figure with outlines": figure("on quillbox01", 3),
    "typeset text": typeset("on quillbox01"),
    "typeset metadata": typeset('#set document(author: "zquill")\nText'),
    "table": table("quillbox01"),
    "table's metadata": table("x").replace(b"parquet-cpp-arrow", b"zoe@quill.example"),
    "compressed log": gzip.compress(b"quillbox01"),
    "weights": save({"a": np.zeros(3)}, {"by": "zquill"}),
    "film": b"GIF89a\0\0\xff quillbox01",
}


@pytest.mark.parametrize("content", HIDING.values(), ids=HIDING)
def test_found_wherever_it_hides(stand_ins, content):
    assert search(PackedFile(content), stand_ins)


CLEAN = {
    "numbers": np.random.default_rng(0).bytes(1 << 20),
    "figure": figure("success", 42),
    "typeset": typeset("success"),
    "table": table("success"),
    "picture": png("success", True),
    "hash": sha256_bytes(b"").encode(),
}


@pytest.mark.parametrize("content", CLEAN.values(), ids=CLEAN)
def test_nothing_is_found_where_nothing_is(stand_ins, content):
    assert not search(PackedFile(content), stand_ins)
