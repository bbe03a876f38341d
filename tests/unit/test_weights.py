"""Pretrained weights are used only after every byte was that of their pin."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.project import ROOT
from vla.config.model import ModelSection
from vla.config.weights import WeightsName
from vla.errors import UserError
from vla.plan.weights import find_weights, load_weights, weights_named
from vla.records.weights import WeightsRecord
from vla.weights.fetching import fetch
from vla.weights.pinned import PinnedWeights
from vla.weights.pinning import pin_weights
from vla.weights.verification import current_record, require_verified, verify

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    save_file({"weight": torch.ones(3)}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    return folder


@pytest.fixture
def register(tmp_path):
    """Write config/weights.yaml with one entry; returns it as the project has it."""

    def write(**entry: object) -> PinnedWeights:
        (tmp_path / "config").mkdir(exist_ok=True)
        lines = "".join(f"  {name}: {value}\n" for name, value in entry.items())
        (tmp_path / "config/weights.yaml").write_text(f"# kept\ntiny:\n{lines}")
        return load_weights(tmp_path)["tiny"]

    return write


@pytest.fixture
def pinned(register, source, tmp_path) -> PinnedWeights:
    pin_weights(register(folder=source, licence="MIT"))
    return load_weights(tmp_path)["tiny"]


def test_pinning_brings_safetensors_and_text_and_nothing_that_is_pickled(pinned, tmp_path):
    assert {file.path for file in pinned.files} == {"config.json", "model.safetensors"}
    assert {path.name for path in pinned.folder.iterdir()} == {"config.json", "model.safetensors"}
    assert (tmp_path / "config/weights.yaml").read_text().startswith("# kept\ntiny:\n  folder:")


def test_missing_files_are_fetched_and_verified(pinned):
    (pinned.folder / "model.safetensors").unlink()
    assert fetch(pinned) == ["model.safetensors"]
    with pytest.raises(UserError, match="not those that were verified"):
        require_verified(pinned)
    record = current_record(pinned)
    verify(pinned, record)
    assert WeightsRecord.read(record).content == pinned.content
    require_verified(pinned)
    (pinned.folder / "config.json").touch()  # the same bytes
    require_verified(pinned)


def test_a_changed_byte_is_named_with_both_hashes(pinned):
    verify(pinned, current_record(pinned))
    path = pinned.folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\x00")
    with pytest.raises(UserError, match="not those that were verified"):
        require_verified(pinned)
    with pytest.raises(
        UserError, match=r"(?s)model\.safetensors.*expected sha256.*found    sha256"
    ):
        verify(pinned, current_record(pinned))


def test_a_file_that_is_not_pinned_is_refused(pinned):
    (pinned.folder / "more.bin").write_bytes(b"?")
    with pytest.raises(UserError, match=r"more\.bin is not pinned"):
        verify(pinned, current_record(pinned))


def test_other_bytes_are_another_content(pinned, source, tmp_path):
    before = pinned.content
    save_file({"weight": torch.zeros(3)}, pinned.folder / "model.safetensors")
    pin_weights(pinned)
    assert load_weights(tmp_path)["tiny"].content != before


def test_unknown_name_is_refused_with_the_nearest(pinned, tmp_path):
    with pytest.raises(
        UserError, match=r"nobody registered the weights 'tinny'; did you mean 'tiny'"
    ):
        find_weights(load_weights(tmp_path), "tinny", "config.yaml")


def test_weights_that_nobody_pinned_say_how(register, source):
    with pytest.raises(UserError, match="pins no files of tiny") as caught:
        _ = register(folder=source, licence="MIT").content
    assert "vla pin weights/tiny" in caught.value.way_out


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"folder": "a", "repository": "a/b", "revision": REVISION}, "give either `folder`, or"),
        ({"repository": "a/b"}, "needs its `revision`"),
        ({"repository": "a/b", "revision": "main"}, "revision: string should match"),
        ({"folder": "a", "files": "{model.bin: {sha256: a, bytes: 1}}"}, "files.model.bin"),
        ({"folder": "a", "files": "{../model.safetensors: {}}"}, "files."),
    ],
)
def test_mistakes_in_the_registry_are_named(register, entry, message):
    with pytest.raises(UserError, match=message):
        register(licence="MIT", **entry)


def test_source_without_safetensors_is_refused(register, source):
    (source / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"holds no \.safetensors file: config.json, pytorch_model"):
        pin_weights(register(folder=source, licence="MIT"))


def test_hub_that_does_not_answer_is_told_with_the_way_out(register, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code = (
        "import sys; from pathlib import Path; from vla.plan.weights import load_weights;"
        "from vla.weights.pinning import pin_weights; from vla.errors import UserError\n"
        "try: pin_weights(load_weights(Path(sys.argv[1]))['tiny'])\n"
        "except UserError as error: print(error)"
    )
    root = register(repository="a/b", revision=REVISION, licence="MIT").root
    command = [sys.executable, "-c", code, str(root)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert f"a/b at {REVISION} could not be read from the hub: OfflineModeIsEnabled" in printed
    assert "copy the files into weights/NAME/ by hand" in printed


def test_names_of_weights_are_found_wherever_a_section_has_them():
    class Inner(ModelSection):
        type: str = "inner"
        second: WeightsName = None

    class Outer(ModelSection):
        type: str = "outer"
        first: WeightsName = None
        inner: Inner = Inner()

    section = Outer(first="b", inner=Inner(second="a"))
    assert weights_named(section) == ("a", "b")
    assert weights_named(Outer()) == ()
